//! What S3 knows: buckets and keys. A line that is only typed shows nothing, asks nobody and sends no key.

use std::fs;

use s3seal_sandbox::{Fault, Gate, Kind};

use crate::shell::{Session, Shell, in_each_shell};
use crate::support::{BUCKET, Bench, CUSTOMER_KEY, at_once, key};

fn store(bench: &Bench, keys: &[&str]) {
    for key in keys {
        bench.sandbox.s3().put_plain(BUCKET, key, b"x");
    }
}

#[test]
fn buckets_and_keys_are_completed() {
    in_each_shell(&[], |bench, session, shell| {
        store(bench, &["db/a b:c=d.sql", "db/it's $x;.txt", "logs/2026/01.gz", "logs/2026/02.gz", "größe"]);
        for (typed, words) in [
            ("get s3://ben\t", &["get", "s3://bench/"][..]),
            ("get s3:\tben\tlo\t", &["get", "s3://bench/logs/"]),
            ("get s3://bench/lo\t2\t02\t", &["get", "s3://bench/logs/2026/02.gz"]),
            ("get s3://bench/db/a\t", &["get", "s3://bench/db/a b:c=d.sql"]),
            ("get s3://bench/db/a\\ b:c\t", &["get", "s3://bench/db/a b:c=d.sql"]),
            ("get 's3://bench/db/a b:c\t", &["get", "s3://bench/db/a b:c=d.sql"]),
            ("get \"s3://bench/db/a b\t", &["get", "s3://bench/db/a b:c=d.sql"]),
            ("get s3://bench/db/it\t", &["get", "s3://bench/db/it's $x;.txt"]),
            ("inspect --inventory=s3://bench/db/a\t", &["inspect", "--inventory=s3://bench/db/a b:c=d.sql"]),
            ("put x s3://bench/lo\t20\t", &["put", "x", "s3://bench/logs/2026/"]),
            ("get s3://bench/gr\t", &["get", "s3://bench/größe"]),
        ] {
            assert_eq!(session.words(typed), words, "{shell:?}: {typed}");
        }
    });
}

#[test]
fn a_list_shows_the_last_name_of_each() {
    in_each_shell(&[], |bench, session, shell| {
        store(bench, &["logs/first", "logs/second"]);
        let screen = session.list("get s3://bench/logs/", "second");
        if shell != Shell::Fish {
            assert!(!screen.contains("logs/second"), "{shell:?}:\n{screen}");
        }
    });
}

#[test]
fn an_address_in_s3_is_never_a_file() {
    in_each_shell(&[], |bench, session, shell| {
        fs::create_dir_all(bench.path("s3:/bench")).unwrap();
        bench.write("s3:/bench/local", b"");
        bench.write("local", b"");
        for typed in ["get s3://bench/lo", "put s3://bench/lo", "get lo"] {
            let words: Vec<_> = typed.split(' ').collect();
            assert_eq!(session.words(&format!("{typed}\t")), words, "{shell:?}: {typed}");
        }
    });
}

#[test]
fn names_that_would_act_on_a_terminal_are_left_out() {
    in_each_shell(&[], |bench, session, shell| {
        store(bench, &["k\x1b]0;x\x07", "k\nfine", "ka"]);
        assert_eq!(session.words("get s3://bench/k\t"), ["get", "s3://bench/ka"], "{shell:?}");
    });
}

#[test]
fn a_name_runs_nothing() {
    in_each_shell(&[], |bench, session, shell| {
        let name = "$(touch ran)`touch ran`$((a[$(touch ran)]))<(touch ran)";
        store(bench, &[name, "other"]);
        assert_eq!(
            session.words("get s3://bench/\\$\t"),
            ["get", &format!("s3://bench/{name}")],
            "{shell:?}"
        );
        session.list("get s3://bench/", "other");
        assert_eq!(bench.names(), [""; 0], "{shell:?}");
    });
}

#[test]
fn the_flags_of_the_line_say_how_s3_is_reached() {
    let variables = [("AWS_ENDPOINT_URL", ""), ("AWS_ENDPOINT_URL_S3", ""), ("AWS_CONFIG_FILE", "conf")];
    in_each_shell(&variables, |bench, session, shell| {
        let url = bench.sandbox.env().into_iter().find(|(name, _)| name.starts_with("AWS_ENDPOINT_URL"));
        let (_, url) = url.unwrap();
        let typed = format!("--endpoint-url {url} get --path-style s3://ben\t");
        assert_eq!(session.words(&typed).last().unwrap(), "s3://bench/", "{shell:?}");
        // fish shows a completion nothing of what stands after the cursor.
        if shell == Shell::Fish {
            return;
        }
        let after = format!("get s3://ben --endpoint-url {url}{}\t\x05", "\x1b[D".repeat(url.len() + 16));
        assert_eq!(session.words(&after)[1], "s3://bench/", "{shell:?}");
    });
}

#[test]
fn s3_is_not_asked_when_that_is_off() {
    in_each_shell(&[("S3SEAL_COMPLETE_REMOTE", "0")], |bench, session, shell| {
        assert_eq!(session.words("get s3://ben\t"), ["get", "s3://ben"], "{shell:?}");
        assert_eq!(bench.sandbox.requests().len(), 0, "{shell:?}");
    });
}

#[test]
fn a_server_that_does_not_answer_is_not_waited_for() {
    in_each_shell(&[("S3SEAL_COMPLETE_REMOTE", "")], |bench, session, shell| {
        // Never opened: the line ends without the server.
        let gate = Gate::new();
        for operation in ["ListBuckets", "ListObjectsV2"] {
            bench.sandbox.fault(Fault::on(operation, Kind::Pause(gate.clone())).always());
        }
        for typed in ["s3://ben", "s3://bench/k"] {
            assert_eq!(session.words(&format!("get {typed}\t")), ["get", typed], "{shell:?}");
        }
    });
}

#[test]
fn nothing_is_said_without_credentials_or_permission() {
    at_once(&[Shell::Bash, Shell::Zsh, Shell::Fish], |shell| {
        let bench = Bench::new();
        bench
            .sandbox
            .fault(Fault::on("ListBuckets", Kind::status(403, "AccessDenied", "Access Denied")).always());
        let nobody = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")];
        for variables in [&nobody[..], &[]] {
            let mut session = Session::start(&bench, *shell, variables);
            assert_eq!(session.words("get s3://ben\t"), ["get", "s3://ben"], "{shell:?}");
            let screen = session.screen();
            let lines: Vec<_> = screen.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
            let expected = ["ready 0> show get s3://ben", "<get><s3://ben>(end 1)", "ready 1>"];
            assert_eq!(lines, expected, "{shell:?}");
        }
    });
}

#[test]
fn nobody_is_asked_and_no_key_is_read_or_sent() {
    let variables = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", ""), ("AWS_CONFIG_FILE", "conf")];
    in_each_shell(&variables, |bench, session, shell| {
        // Gives credentials if it has no terminal to ask at.
        let process = "#!/bin/sh\nif (echo password: >/dev/tty) 2>/dev/null; then exit 1; fi\n\
            echo '{\"Version\": 1, \"AccessKeyId\": \"'$1'\", \"SecretAccessKey\": \"'$2'\"}'\n";
        bench.write("ask", process.as_bytes());
        let env = bench.sandbox.env();
        let value = |name: &str| env.iter().find(|(each, _)| *each == name).unwrap().1.clone();
        let ask = bench.path("ask");
        let (id, secret) = (value("AWS_ACCESS_KEY_ID"), value("AWS_SECRET_ACCESS_KEY"));
        let conf = format!("[default]\ncredential_process = sh {} {id} {secret}\n", ask.display());
        bench.write("conf", conf.as_bytes());
        bench.write("key", &key(1));
        store(bench, &["key"]);
        let line = "get --sse-c-key key --key 'cmd:touch ran' --passphrase=prompt s3://bench/k\t";
        assert_eq!(session.words(line).last().unwrap(), "s3://bench/key", "{shell:?}");
        assert!(!session.screen().contains("password"), "{shell:?}");
        assert!(!bench.path("ran").exists(), "{shell:?}");
        for request in bench.sandbox.requests() {
            assert!(request.header(CUSTOMER_KEY).is_none(), "{shell:?}");
        }
    });
}
