//! A key that is known to the test, looked for wherever it could have leaked.
//!
//! Raw, in hex and in base64: in everything the program writes, in what its children are started with, in every request
//! but for the headers that must carry it, in every file it leaves.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

mod support;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use s3seal_sandbox::s3::Lie;
use s3seal_sandbox::{Fault, Gate, Kind};
use support::keys::{KnownKey, holds};
use support::{BUCKET, Bench, CUSTOMER_KEY, Ended, PART, PATIENCE, Program, bytes};

const SOURCES: [&str; 6] = ["file:key", "key", "env:THE_KEY", "fd:9", "cmd:cat key", "cmd:cat key.raw"];

fn bench() -> (Bench, KnownKey) {
    let bench = Bench::new();
    let key = KnownKey::new(1);
    bench.write("key", key.hex().as_bytes());
    bench.write("key.raw", &key.0);
    bench.write("key.base64", key.base64().as_bytes());
    bench.write("other", &KnownKey::new(2).0);
    bench.write("source", b"text");
    bench.write("large", &bytes(PART + 1));
    (bench, key)
}

/// The program with the key in the environment and at descriptor 9, which only some sources read.
fn keyed(bench: &Bench, key: &KnownKey, line: &[&str]) -> Program {
    let script = format!("exec 9< key; exec {} \"$@\"", env!("CARGO_BIN_EXE_s3seal"));
    let shell = ["-c", script.as_str(), "s3seal"].into_iter().chain(line.iter().copied());
    bench.program("sh", shell).with("THE_KEY", key.base64())
}

#[track_caller]
fn nothing_leaks(ended: &Ended, key: &KnownKey, what: &str) {
    for text in [&ended.stdout[..], ended.stderr.as_bytes()] {
        assert_eq!(key.found_in(text), None, "{what}: {}", ended.stderr);
    }
}

/// As much of what may be megabytes of the test's own bytes as is searched in no time.
fn beginning(content: &[u8]) -> &[u8] {
    &content[..content.len().min(32 * 1024)]
}

#[track_caller]
fn nothing_leaks_to_the_server(bench: &Bench, key: &KnownKey) {
    for request in bench.sandbox.requests() {
        let head = format!("{} {}", request.path, request.query);
        assert_eq!(key.found_in(head.as_bytes()), None, "{head}");
        for (name, value) in request.headers.iter().filter(|(name, _)| name != CUSTOMER_KEY) {
            assert_eq!(key.found_in(value.as_bytes()), None, "{}: {name}", request.operation);
        }
    }
    for name in bench.sandbox.s3().keys(BUCKET) {
        let object = bench.sandbox.s3().object_with_key(BUCKET, &name, &key.0).unwrap();
        let metadata = format!("{:?} {:?}", object.metadata, object.tags);
        assert_eq!(key.found_in(metadata.as_bytes()), None, "metadata of {name}");
        let content = object.plaintext.unwrap_or_default();
        assert_eq!(key.found_in(beginning(&content)), None, "content of {name}");
    }
}

#[test]
fn the_key_is_in_no_output_whatever_its_source() {
    let (bench, key) = bench();
    let talks = ["-vv", "--json", "-vv --json", "-vv --progress plain"];
    // Every source with all the talk there is; every kind of talk with one source.
    let all = SOURCES.map(|source| (source, "-vv --json"));
    let one = talks.map(|talk| (SOURCES[0], talk));
    for (source, talk) in all.into_iter().chain(one) {
        for flag in ["--sse-c-key", "--key"] {
            let put = ["put", "source", "s3://bench/object", flag, source];
            let get = ["get", "s3://bench/object", "copy", flag, source];
            for line in [&put[..], &get] {
                let line: Vec<_> = line.iter().copied().chain(talk.split(' ')).collect();
                let ended = keyed(&bench, &key, &line).run().ok();
                nothing_leaks(&ended, &key, &line.join(" "));
            }
        }
    }
    nothing_leaks_to_the_server(&bench, &key);
}

#[test]
fn the_key_is_in_the_one_header_that_must_carry_it_and_not_there_in_client_mode() {
    let (bench, key) = bench();
    for (mode, flag, carries) in [("sse-c", "--sse-c-key", true), ("client", "--key", false)] {
        bench.sandbox.clear_requests();
        bench.run(&format!("put large s3://bench/{mode} -e {mode} {flag} key --part-size 5MiB")).ok();
        bench.run(&format!("get s3://bench/{mode} copy -e {mode} {flag} key --part-size 5MiB")).ok();
        let with_key =
            |request: &&s3seal_sandbox::Recorded| request.header(CUSTOMER_KEY) == Some(&key.base64());
        assert_eq!(bench.sandbox.requests().iter().any(|request| with_key(&request)), carries, "{mode}");
        nothing_leaks_to_the_server(&bench, &key);
    }
}

#[test]
fn no_error_holds_the_key() {
    let (bench, key) = bench();
    bench.run("put source s3://bench/object -e sse-c --sse-c-key key").ok();
    bench.run("put source s3://bench/sealed -e client --key key").ok();
    bench.run("put source s3://bench/others -e client --key other").ok();
    bench.run("put source s3://bench/plain").ok();
    let hex = key.hex();
    let base64 = key.base64();
    let lines = [
        "get s3://bench/others copy --key key",
        "get s3://bench/plain copy --key key",
        "get s3://bench/nothing copy --key key",
        "get s3://nowhere/nothing copy --key key",
        "get s3://bench/object copy --sse-c-key key --endpoint-url http://127.0.0.1:1 --max-attempts 1",
        "put source s3://nowhere/object -e sse-c --sse-c-key key",
        "put nothing s3://bench/object -e sse-c --sse-c-key key",
        "put source s3://bench/object -e sse-s3 --key key",
        "put source s3://bench/object -e sse-c --sse-c-key key --no-clobber",
        &format!("put source s3://bench/object -e sse-c --sse-c-key {hex}"),
        &format!("put source s3://bench/object -e sse-c --sse-c-key {base64}"),
        &format!("put source s3://bench/object -e sse-c --sse-c-key file:{hex}"),
        &format!("put source s3://bench/object -e sse-c --sse-c-key env:{hex}"),
        &format!("put source s3://bench/object -e sse-c --sse-c-key fd:{hex}"),
        &format!("put source s3://bench/object -e client --passphrase={base64}"),
        &format!("get s3://bench/object copy --sse-c-key {base64}"),
        &format!("get s3://bench/object copy --private-key {hex}"),
        "get s3://bench/object copy --private-key key",
        "put source s3://bench/object -e client --public-key key",
    ];
    for line in lines {
        for talk in ["-vv", "--json"] {
            let ended = bench.run(&format!("{line} {talk}"));
            assert_ne!(ended.code(), Some(0), "{line}");
            nothing_leaks(&ended, &key, line);
        }
    }
    nothing_leaks_to_the_server(&bench, &key);
}

#[test]
fn a_path_that_holds_the_key_is_not_repeated() {
    // Whoever types file: before the key itself has shown it to `ps`; it must not go to a log as well.
    let (bench, key) = bench();
    for line in [
        format!("put source s3://bench/object -e sse-c --sse-c-key file:{}", key.hex()),
        format!("put source s3://bench/object -e sse-c --sse-c-key file:{}", key.base64()),
    ] {
        let ended = bench.run(&line);
        assert_ne!(ended.code(), Some(0));
        nothing_leaks(&ended, &key, "file:");
    }
}

#[test]
fn trouble_on_the_line_does_not_bring_the_key_to_light() {
    let (bench, key) = bench();
    bench.run("put large s3://bench/object -e sse-c --sse-c-key key --part-size 5MiB").ok();
    for kind in
        [Kind::ResetBefore, Kind::slow_down(), Kind::status(400, "Odd", "An odd refusal."), Kind::DropAnswer]
    {
        for (operation, line) in [
            ("UploadPart", "put large s3://bench/new -e sse-c --sse-c-key key --part-size 5MiB"),
            ("GetObject", "get s3://bench/object copy --sse-c-key key --part-size 5MiB"),
            ("HeadObject", "get s3://bench/object copy --sse-c-key key --part-size 5MiB"),
        ] {
            bench.sandbox.fault(Fault::on(operation, kind.clone()).times(999));
            let ended = bench.run(&format!("{line} -vv --max-attempts 1"));
            assert_ne!(ended.code(), Some(0));
            nothing_leaks(&ended, &key, line);
            bench.sandbox.clear_faults();
        }
    }
    bench.sandbox.s3().lie(Lie::IgnoreSse);
    let ended = bench.run("put source s3://bench/new -e sse-c --sse-c-key key -vv").exits(6);
    nothing_leaks(&ended, &key, "a lying server");
}

#[test]
fn neither_children_nor_the_program_show_the_key_to_ps() {
    let (bench, key) = bench();
    // The key command and the source command both look at themselves, at each other and at their environment.
    let look = "cat /proc/self/cmdline /proc/self/environ /proc/$PPID/cmdline >> seen; cat key";
    let line = [
        "put",
        "--from-command",
        "s3://bench/object",
        "-e",
        "sse-c",
        "--sse-c-key",
        &format!("cmd:{look}"),
        "--",
        "sh",
        "-c",
        "cat /proc/self/environ /proc/self/cmdline /proc/$PPID/cmdline >> seen",
    ];
    keyed(&bench, &key, &line).without("THE_KEY").run().ok();
    let seen = bench.read("seen");
    assert!(holds(&seen, b"put"), "nothing was seen");
    assert_eq!(key.found_in(&seen), None);
}

#[test]
fn a_variable_that_held_the_key_is_not_passed_on_to_commands() {
    let (bench, key) = bench();
    for line in [
        &[
            "put",
            "--from-command",
            "s3://bench/object",
            "-e",
            "sse-c",
            "--sse-c-key",
            "env:THE_KEY",
            "--",
            "sh",
            "-c",
            "env",
        ][..],
        &[
            "put",
            "--from-command",
            "s3://bench/object",
            "-e",
            "client",
            "--key",
            "env:THE_KEY",
            "--",
            "sh",
            "-c",
            "env",
        ],
    ] {
        keyed(&bench, &key, line).run().ok();
        let flag = line.iter().find(|word| word.ends_with("-key")).unwrap();
        let ended = keyed(&bench, &key, &["get", "s3://bench/object", "-", flag, "env:THE_KEY"]).run().ok();
        assert!(holds(&ended.stdout, b"PATH="), "the environment was not stored");
        assert_eq!(key.found_in(&ended.stdout), None);
    }
}

#[test]
fn the_key_lies_in_no_file_that_is_written_on_the_way() {
    let (bench, key) = bench();
    bench.run("put large s3://bench/object -e client --key key --part-size 5MiB").ok();
    let gate = Gate::new();
    let held = bench.sandbox.fault(Fault::on("GetObject", Kind::Pause(gate.clone())).skip(1));
    let running = bench.start("get s3://bench/object copy --key key --part-size 5MiB -j 1");
    assert!(held.wait(1, PATIENCE));
    for name in bench.names().iter().filter(|name| !name.starts_with("key")) {
        assert_eq!(key.found_in(beginning(&fs::read(bench.path(name)).unwrap())), None, "{name}");
    }
    gate.open();
    running.end().ok();
}

#[test]
fn keygen_shows_no_key() {
    let bench = Bench::new();
    for (form, talk) in [("base64", "-vv"), ("hex", "--json"), ("raw", "-vv")] {
        let ended = bench.run(&format!("keygen --form {form} made-{form} {talk}")).ok();
        let content = bench.read(&format!("made-{form}"));
        let written = content.trim_ascii();
        let shown = bench.run(&format!("keygen --show made-{form} {talk}")).ok();
        for ended in [&ended, &shown] {
            assert!(!holds(&ended.stdout, written) && !holds(ended.stderr.as_bytes(), written), "{form}");
        }
        bench.write("source", b"text");
        bench.run(&format!("put source s3://bench/object -e sse-c --sse-c-key made-{form}")).ok();
        let header = bench.requests("PutObject").pop().unwrap().header(CUSTOMER_KEY).unwrap().to_owned();
        for ended in [&ended, &shown] {
            assert!(!ended.stderr.contains(&header) && !holds(&ended.stdout, header.as_bytes()), "{form}");
        }
    }
}

#[test]
fn a_passphrase_is_in_no_output() {
    let bench = Bench::new();
    let words = b"correct horse battery staple";
    bench.write("words", words);
    bench.write("source", b"text");
    for line in [
        "put source s3://bench/object -e client --passphrase=file:words -vv",
        "get s3://bench/object copy --passphrase=file:words -vv",
        "get s3://bench/object copy --passphrase=file:source -vv",
    ] {
        let ended = bench.run(line);
        assert!(!holds(&ended.stdout, words) && !holds(ended.stderr.as_bytes(), words), "{line}");
    }
    let put = ["put", "source", "s3://bench/object", "-e", "client"];
    for (typed, exit) in [
        (&["--passphrase=correct horse battery staple"][..], 5),
        (&["--passphrase", "correct horse battery staple"], 2),
    ] {
        let ended = bench.s3seal([&put, typed].concat()).run().exits(exit);
        assert!(!holds(ended.stderr.as_bytes(), words), "{}", ended.stderr);
    }
    for request in bench.sandbox.requests() {
        assert!(!holds(format!("{:?}", request.headers).as_bytes(), words));
    }
}

#[test]
fn the_credentials_of_aws_are_in_no_output() {
    let (bench, _) = bench();
    let env = bench.sandbox.env();
    let secret = &env.iter().find(|(name, _)| name == "AWS_SECRET_ACCESS_KEY").unwrap().1;
    for line in [
        "put source s3://bench/object -vv",
        "get s3://bench/object copy -vv",
        "get s3://bench/none copy -vv --json",
    ] {
        let ended = bench.run(line);
        assert!(
            !ended.stderr.contains(secret.as_str()) && !ended.stderr.contains("Signature="),
            "{}",
            ended.stderr
        );
    }
}

/// What a command that was started can see of the one that started it.
const LOOK: &str = "ls -l /proc/self/fd; env";

#[test]
fn no_command_inherits_the_descriptor_of_a_key() {
    let (bench, key) = bench();
    // The key's file stays at its place in the descriptor, so that whoever inherits it can read it again.
    for source in ["fd:9", "/dev/fd/9", "/proc/self/fd/9"] {
        let look = ["sh", "-c", LOOK];
        let line = ["put", "--from-command", "s3://bench/object", "-e", "client", "--key", source, "--"];
        keyed(&bench, &key, &[&line[..], &look].concat()).run().ok();
        let seen = keyed(&bench, &key, &["get", "s3://bench/object", "-", "--key", "fd:9"]).run().ok().stdout;
        let seen = String::from_utf8(seen).unwrap();
        assert!(seen.contains(" 1 -> "), "nothing was seen: {seen}");
        let mut open = seen.lines().filter(|line| line.contains(" -> "));
        assert!(!open.any(|line| line.contains(" 9 -> ") || line.ends_with("/key")), "{source}: {seen}");
    }
}

#[test]
fn a_key_command_sees_no_other_key_wherever_that_stands_on_the_command_line() {
    let (bench, key) = bench();
    keyed(&bench, &key, &["put", "source", "s3://bench/object", "-e", "client", "--key", "other"]).run().ok();
    for later in ["env:THE_KEY", "fd:9"] {
        let look = format!("cmd:({LOOK}) >seen; cat key.raw");
        let line = ["get", "s3://bench/object", "copy", "--key", &look, "--key", later, "--key", "other"];
        keyed(&bench, &key, &line).run().ok();
        let seen = String::from_utf8(bench.read("seen")).unwrap();
        assert!(seen.contains("PATH="), "nothing was seen: {seen}");
        assert!(!seen.contains(" 9 -> ") || later != "fd:9", "{seen}");
        assert!(!seen.contains("THE_KEY") || later != "env:THE_KEY", "{seen}");
    }
}

#[test]
fn a_key_command_does_not_read_the_key_from_standard_input() {
    let (bench, key) = bench();
    let line = ["put", "source", "s3://bench/object", "-e", "client", "--format", "esdk"];
    let keys = ["--key", "cmd:cat >seen; cat other", "--key", "fd:0"];
    keyed(&bench, &key, &[&line[..], &keys].concat()).input(key.hex().as_bytes()).run().ok();
    assert_eq!(bench.read("seen"), b"");
}

#[test]
fn memory_that_holds_keys_is_neither_dumped_nor_open_to_other_processes_of_the_user() {
    // The kernel gives what shows a process's memory to root where it must not be dumped, else to the process's user.
    // Root sees no difference, and gives up being root first.
    let (bench, key) = bench();
    let look = "stat -c 'itself %u' /proc/self/environ; stat -c 'parent %u' /proc/$PPID/environ; \
                grep 'core file' /proc/$PPID/limits";
    let mut line = vec!["put", "--from-command", "s3://bench/object", "--key", "env:THE_KEY", "-e", "client"];
    line.extend(["--", "sh", "-c", look]);
    let root = fs::metadata("/proc/self/environ").unwrap().uid() == 0;
    let program = if root {
        for folder in [bench.files(), bench.home()] {
            fs::set_permissions(folder.parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
            fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
        }
        let (_, ca) = bench.sandbox.env().into_iter().find(|(name, _)| name == "AWS_CA_BUNDLE").unwrap();
        fs::copy(ca, bench.path("ca.pem")).unwrap();
        let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", env!("CARGO_BIN_EXE_s3seal")];
        bench
            .program("setpriv", nobody.into_iter().chain(line))
            .with("THE_KEY", key.base64())
            .with("AWS_CA_BUNDLE", "ca.pem")
    } else {
        keyed(&bench, &key, &line)
    };
    program.run().ok();
    let get = ["get", "s3://bench/object", "-", "--key", "env:THE_KEY"];
    let seen = String::from_utf8(keyed(&bench, &key, &get).run().ok().stdout).unwrap();
    assert!(seen.contains("itself ") && !seen.contains("itself 0\n"), "{seen}");
    assert!(seen.contains("parent 0\n"), "{seen}");
    let limits: Vec<_> = seen.lines().filter(|line| line.contains("core file")).collect();
    assert_eq!(
        limits[0].split_whitespace().collect::<Vec<_>>(),
        ["Max", "core", "file", "size", "0", "0", "bytes"]
    );
}
