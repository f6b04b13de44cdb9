//! The HTML page: what it says beyond the summary. `tests/peers/report` renders it.

use s3seal_sandbox::{Fault, Kind};

use crate::key;
use crate::support::{BUCKET, Bench};

#[test]
fn the_page_says_what_was_inspected_for_whom_and_what_was_not() {
    let bench = Bench::new();
    bench.write("source", b"text");
    key(&bench, "k", 1);
    bench.run("put source s3://bench/db/client --key k").ok();
    for name in ["db/a", "db/b", "db/gone", "tmp/x", "tmp/y"] {
        bench.sandbox.s3().put_plain(BUCKET, name, b"12345678");
    }
    for operation in ["HeadObject", "GetObject"] {
        let gone = Kind::status(404, "NoSuchKey", "The specified key does not exist.");
        bench.sandbox.fault(Fault::on(operation, gone).only("db/gone").times(9));
    }
    let line =
        "inspect s3://bench --exclude tmp/* --report page.html -q --expected-bucket-owner 111122223333";
    let program = bench.s3seal(line.split(' ')).with("AWS_ACCOUNT_ID", "444455556666");
    program.run().ok().writes_nothing();
    let page = String::from_utf8(bench.read("page.html")).unwrap();
    for shown in [
        "--exclude &#39;tmp/*&#39;",
        "current versions only",
        "444455556666, of the credentials",
        "111122223333, which each request to S3 demanded",
        "<td>2: excluded by the filters or the choice of versions</td>",
        "<td>1: deleted after they were listed</td>",
        // Bytes of a mode with their share: 16 of 36.
        "<td class=\"number\">16 B</td><td class=\"number share\">44.4 %</td>",
        // From the key to its objects, and back.
        "<tr id=\"key-0\">",
        "<a href=\"#objects-0\">its objects</a>",
        "<section id=\"objects-0\">",
        "<a class=\"back\" href=\"#key-0\">",
        "<td class=\"name\">s3://bench/db/b</td><td class=\"number\">8 B</td>",
        "<a href=\"#objects-1\">s3ec: aes ",
    ] {
        assert!(page.contains(shown), "{shown}\n{page}");
    }
    assert!(!page.contains("s3://bench/tmp/x"));
    // Nobody asked a service for the account.
    assert!(bench.sandbox.requests().iter().all(|request| !request.operation.contains("Identity")));
    bench.run("inspect s3://bench/db/ --report page.html").ok();
    let page = String::from_utf8(bench.read("page.html")).unwrap();
    assert!(!page.contains("Account") && !page.contains("Filters"), "what is not known is not said: {page}");
}

#[test]
fn the_page_lists_so_many_objects_of_a_key_and_counts_the_rest() {
    let bench = Bench::new();
    for number in 0..503 {
        bench.sandbox.s3().put_plain(BUCKET, &format!("p/{number:03}"), b"x");
    }
    bench.run("inspect s3://bench/p/ --report page.html").ok();
    let page = String::from_utf8(bench.read("page.html")).unwrap();
    assert!(page.contains("s3://bench/p/499<") && !page.contains("s3://bench/p/500<"));
    assert!(page.contains("<p class=\"soft\">and 3 more</p>"));
}
