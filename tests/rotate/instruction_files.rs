//! An instruction file is not deleted before the object that needs it no more was seen, nor when it is somebody else's by
//! then.

use s3seal_sandbox::{Fault, Kind};

use crate::support::BUCKET;
use crate::{OBJECT, assert_no_traces, assert_opens, bench, stored};

/// Stored with an instruction file, and rotated to something that needs none; what opens it then.
const LEAVES: [(&str, &str); 3] = [
    ("-e sse-s3 --from-key a.key", ""),
    ("-e client --new-data-key --key b.key --from-key a.key", "--key b.key"),
    ("-e client --format esdk --key b.key --from-key a.key", "--key b.key"),
];

#[test]
fn an_instruction_file_is_deleted_as_it_was_read_and_after_the_object_was_seen() {
    for (flags, opens) in LEAVES {
        let bench = bench();
        let content = stored(&bench, 3000, "-e client --key a.key --instruction-file");
        let etag = bench.object("o.instruction").etag;
        bench.sandbox.clear_requests();
        bench.run(&format!("rotate {OBJECT} {flags} --yes")).ok();
        bench.assert_keys(&["o"]);
        let requests = bench.sandbox.requests();
        let last = |operation: &str| requests.iter().rposition(|one| one.operation == operation).unwrap();
        let delete = &requests[last("DeleteObject")];
        assert_eq!(delete.header("if-match"), Some(format!("\"{etag}\"").as_str()), "{flags}");
        assert!(last("DeleteObject") > last("HeadObject"), "deleted before the object was seen: {flags}");
        assert_opens(&bench, opens, &content);
        assert_no_traces(&bench);
    }
}

#[test]
fn an_instruction_file_stays_if_the_new_object_cannot_be_seen() {
    for (flags, _) in LEAVES {
        let bench = bench();
        stored(&bench, 3000, "-e client --key a.key --instruction-file");
        let before = bench.object("o.instruction").plaintext;
        let denied = Kind::status(403, "AccessDenied", "Access Denied");
        let refuse = bench.meanwhile(move |sandbox| {
            for operation in ["HeadObject", "GetObject"] {
                sandbox.fault(Fault::on(operation, denied.clone()).always());
            }
        });
        bench.sandbox.fault(Fault::on("PutObject", refuse));
        bench.run(&format!("rotate {OBJECT} {flags} --yes")).exits(4);
        assert_eq!(bench.object("o.instruction").plaintext, before, "{flags}");
        bench.sandbox.clear_faults();
        bench.run(&format!("rotate {OBJECT} {flags} --yes")).ok();
        bench.assert_keys(&["o"]);
        assert_no_traces(&bench);
    }
}

#[test]
fn an_instruction_file_that_somebody_replaces_before_it_is_deleted_stays() {
    for (flags, _) in LEAVES {
        let bench = bench();
        stored(&bench, 3000, "-e client --key a.key --instruction-file");
        let overwrite =
            bench.meanwhile(|sandbox| sandbox.s3().put_plain(BUCKET, "o.instruction", b"somebody's"));
        bench.sandbox.fault(Fault::on("DeleteObject", overwrite).only("o.instruction"));
        bench
            .run(&format!("rotate {OBJECT} {flags} --yes"))
            .exits(8)
            .says(&["the instruction file s3://bench/o.instruction", "is rotated"]);
        assert_eq!(bench.object("o.instruction").plaintext.as_deref(), Some(&b"somebody's"[..]), "{flags}");
    }
}
