//! Which object: by version, by ETag; and what happens when it becomes another one on the way.

use s3seal_sandbox::{Fault, Sandbox};

use crate::support::{BUCKET, Bench, PART, assert_same, bytes};

#[test]
fn a_version_is_fetched_by_its_id() {
    let bench = Bench::new();
    bench.sandbox.s3().set_versioning(BUCKET);
    for content in ["first", "second"] {
        bench.write("source", content.as_bytes());
        bench.run("put source s3://bench/object").ok();
    }
    let versions = bench.sandbox.s3().versions(BUCKET, "object");
    for (version, content) in versions.iter().zip(["second", "first"]) {
        let ended = bench.run(&format!("get s3://bench/object - --version-id {}", version.id)).ok();
        assert_eq!(ended.stdout, content.as_bytes());
        assert!(bench.requests("GetObject").last().unwrap().query.contains(&version.id));
    }
    bench
        .run("get s3://bench/object - --version-id nothing")
        .exits(3)
        .writes_nothing()
        .says(&["s3://bench/object (version nothing) does not exist", "list-object-versions"]);
}

#[test]
fn a_version_that_is_a_delete_marker_is_told_as_such() {
    let bench = Bench::new();
    bench.sandbox.s3().set_versioning(BUCKET);
    bench.write("source", b"text");
    bench.run("put source s3://bench/p/object").ok();
    std::fs::create_dir(bench.path("tree")).unwrap();
    bench.write("tree/other", b"text");
    bench.run("put -r tree s3://bench/p/ --delete --yes --max-delete 100%").ok();
    let versions = bench.sandbox.s3().versions(BUCKET, "p/object");
    let marker = &versions.iter().find(|version| version.delete_marker).unwrap().id;
    for line in ["get s3://bench/p/object copy", "inspect s3://bench/p/object"] {
        let ended = bench.run(&format!("{line} --version-id {marker}")).exits(3);
        ended.says(&["does not exist", "that version is a delete marker"]);
        bench
            .run(&format!("{line} --version-id nothing"))
            .exits(3)
            .says(&["(version nothing) does not exist"]);
    }
    assert!(!bench.path("copy").exists());
}

#[test]
fn if_match_takes_the_object_named_and_no_other() {
    let bench = Bench::new();
    bench.write("source", b"text");
    bench.run("put source s3://bench/object").ok();
    let etag = bench.object("object").etag;
    for spelling in [etag.clone(), format!("\"{etag}\"")] {
        bench.s3seal(["get", "s3://bench/object", "copy", "--if-match", &spelling]).run().ok();
    }
    let ended = bench.run("get s3://bench/object copy --if-match 0123456789abcdef0123456789abcdef");
    let ended = ended.exits(8);
    assert!(!ended.stderr.contains("the same command again"), "{}", ended.stderr);
    ended.says(&["is not the object expected", "`s3seal inspect s3://bench/object` shows the ETag"]);
    assert_eq!(bench.read("copy"), b"text");
    bench.assert_tidy(&["copy", "source"]);
}

/// A version is no part of the object's key: the command in the hint reaches it.
#[test]
fn a_version_with_another_etag_is_named_in_the_command_that_shows_it() {
    let bench = Bench::new();
    bench.sandbox.s3().set_versioning(BUCKET);
    bench.write("source", b"text");
    bench.run("put source s3://bench/object").ok();
    let version = bench.object("object").version_id;
    let ended =
        bench.run(&format!("get s3://bench/object copy --version-id {version} --if-match 0123")).exits(8);
    assert!(!ended.stderr.contains("wrote it meanwhile"), "{}", ended.stderr);
    ended.says(&[
        &format!("s3://bench/object (version {version}) is not the object expected"),
        &format!("aws s3api head-object --bucket bench --key object --version-id {version}`"),
    ]);
    bench.assert_tidy(&["source"]);
}

/// Stores an object of three parts and replaces it when the range of this number is asked for.
fn replaced_at(range: usize, replace: fn(&Sandbox)) -> Bench {
    let bench = Bench::new();
    bench.write("source", &bytes(3 * PART));
    bench.run("put source s3://bench/object --part-size 5MiB").ok();
    bench.write("copy", b"old");
    let act = bench.meanwhile(replace);
    bench.sandbox.fault(Fault::on("GetObject", act).skip(range));
    bench
}

#[test]
fn an_object_that_is_overwritten_between_ranges_is_refused() {
    for range in 0..3 {
        let bench =
            replaced_at(range, |sandbox| sandbox.s3().put_plain(BUCKET, "object", &bytes(3 * PART + 1)));
        let ended = bench.run("get s3://bench/object copy --part-size 5MiB -j 1");
        ended.exits(8).says(&["s3://bench/object is not the object expected", "run the same command again"]);
        assert_eq!(bench.read("copy"), b"old");
        bench.assert_tidy(&["copy", "source"]);
    }
}

#[test]
fn an_object_that_is_overwritten_with_one_of_the_same_size_is_refused_too() {
    let bench = replaced_at(1, |sandbox| sandbox.s3().put_plain(BUCKET, "object", &vec![0; 3 * PART]));
    let ended = bench.run("get s3://bench/object - --part-size 5MiB -j 1").exits(8);
    assert!(bytes(3 * PART).starts_with(&ended.stdout), "bytes of the other object");
}

#[test]
fn an_object_that_is_deleted_between_ranges_is_told() {
    let bench = Bench::new();
    bench.write("source", &bytes(3 * PART));
    bench.sandbox.s3().set_versioning(BUCKET);
    bench.run("put source s3://bench/object --part-size 5MiB").ok();
    bench.write("copy", b"old");
    let status = s3seal_sandbox::Kind::status(404, "NoSuchKey", "The specified key does not exist.");
    bench.sandbox.fault(Fault::on("GetObject", status).skip(1).times(99));
    bench
        .run("get s3://bench/object copy --part-size 5MiB -j 1")
        .exits(3)
        .says(&["s3://bench/object does not exist"]);
    assert_same(&bench.read("copy"), b"old", "file");
    bench.assert_tidy(&["copy", "source"]);
}

#[test]
fn every_range_is_bound_to_the_etag_seen_first() {
    let bench = Bench::new();
    bench.write("source", &bytes(3 * PART));
    bench.run("put source s3://bench/object --part-size 5MiB").ok();
    bench.run("get s3://bench/object copy --part-size 5MiB").ok();
    let etag = format!("\"{}\"", bench.object("object").etag);
    let gets = bench.requests("GetObject");
    assert_eq!(gets.len(), 3);
    for get in gets {
        assert_eq!(get.header("if-match"), Some(etag.as_str()));
    }
}
