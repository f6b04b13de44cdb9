//! A listing with keys outside the prefix that was asked for, as of a server or a proxy that ignores the prefix: nothing is
//! done to any object that it names.

use s3seal_sandbox::{Fault, Kind};

use crate::support::keys::KnownKey;
use crate::support::{BUCKET, Bench};

/// A bench with objects under two prefixes, and listings that show one of the second under the first.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("key", &KnownKey::new(1).0);
    for key in ["p/1", "p/2", "q/2"] {
        bench.sandbox.s3().put_plain(BUCKET, key, b"x");
    }
    let kind = Kind::tamper(|_, answer| answer.set_body(answer.text().replace("p/2", "q/2")));
    for operation in ["ListObjectsV2", "ListObjectVersions"] {
        bench.sandbox.fault(Fault::on(operation, kind.clone()).always());
    }
    bench
}

#[test]
fn no_verb_touches_an_object_that_is_listed_outside_its_prefix() {
    let bench = bench();
    std::fs::create_dir(bench.path("d")).unwrap();
    bench.write("d/1", b"x");
    for line in [
        "rotate s3://bench/p/ -e sse-c --sse-c-key key --yes",
        "rotate s3://bench/p/ -e sse-c --sse-c-key key --dry-run",
        "rotate s3://bench/p/ -e sse-c --sse-c-key key --all-versions --yes",
        "inspect s3://bench/p/",
        "inspect s3://bench/p/ --all-versions",
        "get -r s3://bench/p/ there",
        "get -r s3://bench/p/ d --update --delete --yes",
        "put -r d s3://bench/p/ --update",
        "put -r d s3://bench/p/ --delete --yes",
        "cleanup s3://bench/p/ --yes",
    ] {
        bench.sandbox.clear_requests();
        bench.run(line).exits(6).says(&[
            "s3://bench/p/ cannot be trusted: the server listed s3://bench/q/2, whose key does not begin with the prefix",
        ]);
        let requests = bench.sandbox.requests();
        assert!(requests.iter().all(|one| !one.path.contains("q/")), "{line}: {requests:?}");
        bench.assert_keys(&["p/1", "p/2", "q/2"]);
    }
}
