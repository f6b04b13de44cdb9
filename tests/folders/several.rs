//! Several addresses, and patterns of keys.

use crate::get::{files, stored};
use crate::write;

#[test]
fn several_objects_go_into_a_directory_that_is_made() {
    let bench = stored(&["p/a", "q/b", "q/c"]);
    bench.run("get s3://bench/p/a s3://bench/q/b new/dir").ok().says(&["fetched: 2 objects"]);
    assert_eq!(files(&bench, "new/dir"), ["a", "b"]);
    assert_eq!(bench.read("new/dir/b"), b"q/b");
    assert!(bench.requests("ListObjectsV2").is_empty(), "a listing of what was named");
    bench.run("get s3://bench/p/a s3://bench/q/c").ok();
    assert_eq!(bench.read("c"), b"q/c");
    let ended = bench.run("get s3://bench/p/a s3://bench/missing dir/").exits(9);
    ended.says(&["s3://bench/missing does not exist", "1 of 2 objects were not fetched"]);
    assert_eq!(files(&bench, "dir"), ["a"]);
    bench.run("get -r s3://bench/p/ s3://bench/q/ both").ok();
    assert_eq!(files(&bench, "both"), ["a", "b", "c"]);
}

#[test]
fn a_pattern_fetches_what_matches_it() {
    let bench = stored(&["p/a.tar", "p/b.tar", "p/in/c.tar", "p/d.txt", "pq.tar"]);
    bench.run("get s3://bench/p/*.tar d/").ok().says(&["fetched: 3 objects"]);
    assert_eq!(files(&bench, "d"), ["a.tar", "b.tar", "in", "in/c.tar"]);
    bench.run("get s3://bench/p/?.ta* s3://bench/pq.tar e").ok();
    assert_eq!(files(&bench, "e"), ["a.tar", "b.tar", "pq.tar"]);
    bench.run("get s3://bench/p/[ad].t*").ok();
    assert_eq!((bench.read("a.tar"), bench.read("d.txt")), (b"p/a.tar".to_vec(), b"p/d.txt".to_vec()));
    let ended = bench.run("get s3://bench/p/*.zip f").exits(3);
    ended.says(&["error: no object matches s3://bench/p/*.zip", "`aws s3 ls s3://bench/p/"]);
    assert!(!bench.path("f").exists());
    bench.run("get s3://bench/p/*.tar s3://bench/p/*.zip f").exits(3);
    assert!(!bench.path("f").exists());
}

#[test]
fn a_key_with_wildcards_is_matched_by_itself() {
    let bench = stored(&["p/k[1]", "p/what?", "p/k*", "p/kk"]);
    bench.run("get s3://bench/p/k[1] one").ok();
    bench.run("get s3://bench/p/what? two").ok();
    assert_eq!((bench.read("one"), bench.read("two")), (b"p/k[1]".to_vec(), b"p/what?".to_vec()));
    bench.run("get s3://bench/p/k* d").ok();
    assert_eq!(files(&bench, "d"), ["k*", "k[1]", "kk"]);
}

#[test]
fn two_objects_of_one_name_are_refused_before_the_first_byte() {
    let bench = stored(&["p/x", "q/x", "p/y"]);
    write(&bench.path("d/x"), b"old");
    for line in
        ["s3://bench/p/x s3://bench/q/x", "s3://bench/p/* s3://bench/q/*", "-r s3://bench/p/ s3://bench/q/"]
    {
        let ended = bench.run(&format!("get {line} d")).exits(2);
        ended.says(&["two objects map to the file x: s3://bench/p/x and s3://bench/q/x"]);
    }
    assert!(bench.requests("GetObject").is_empty());
    assert_eq!(bench.read("d/x"), b"old");
    bench.run("get s3://bench/p/x s3://bench/p/* e").ok().says(&["fetched: 2 objects"]);
}

#[test]
fn no_key_that_matches_leads_out_of_the_directory() {
    let bench = stored(&["p/../../out", "p/a"]);
    bench
        .run("get s3://bench/p/* in/d")
        .exits(9)
        .says(&["would lead out of the directory", "fetched: 1 object"]);
    assert_eq!(files(&bench, "in"), ["d", "d/a"]);
    assert!(!bench.path("out").exists());
    bench.run("get s3://bench/p/a s3://bench/p/.. in/d").exits(9).says(&["would lead out of the directory"]);
}

#[test]
fn what_is_for_one_object_is_refused_for_several() {
    let bench = stored(&["a", "b"]);
    for flags in ["--range 0-1", "--version-id x", "--if-match x", "--unverified"] {
        bench.run(&format!("get s3://bench/a s3://bench/b d {flags}")).exits(2).says(&["is for one object"]);
    }
    bench.run("get s3://bench/a s3://bench/b -").exits(2).says(&["cannot go to standard output"]);
    bench.run("get s3://bench/a s3://bench/p/ d").exits(2).says(&["s3://bench/p/ names no object"]);
    bench.run("get s3://bench/a here s3://bench/b").exits(2).says(&["'here' is not an S3 address"]);
    bench.run("get s3://bench/[a* d").exits(2).says(&["write `[[]`"]);
    assert!(bench.sandbox.requests().is_empty());
}
