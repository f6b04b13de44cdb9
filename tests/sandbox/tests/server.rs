//! Starting, stopping, being found, being trusted, and remembering what came.

mod client;

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::SystemTime;

use client::{Client, PATIENCE};
use s3seal_sandbox::{Config, Sandbox};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs::default_provider};

#[test]
fn requests_are_remembered_with_all_that_was_sent() {
    let before = SystemTime::now();
    let sandbox = Sandbox::start(Config { http: true, ..Config::with_buckets(["bucket"]) }).unwrap();
    let client = Client::new(&sandbox);
    client.s3("PUT", "/bucket/a%20b", &[("x-amz-meta-colour", "blue")], b"12345");
    client.s3("GET", "/bucket/a%20b?partNumber=1", &[], b"");
    Client::plain(&sandbox).s3("GET", "/bucket/missing", &[], b"");
    let requests = sandbox.requests();
    let summary: Vec<_> = requests.iter().map(|r| (r.operation.as_str(), r.status, r.over_tls)).collect();
    assert_eq!(
        summary,
        [
            ("PutObject", Some(200), true),
            ("GetObject", requests[1].status, true),
            ("GetObject", Some(404), false)
        ]
    );
    let put = &requests[0];
    assert_eq!((put.method.as_str(), put.path.as_str(), put.query.as_str()), ("PUT", "/bucket/a%20b", ""));
    assert_eq!(
        (put.bytes_in, put.header("x-amz-meta-colour"), put.header("absent")),
        (5, Some("blue"), None)
    );
    assert!(before <= put.at && put.at <= requests[1].at);
    assert_eq!((requests[1].parameter("partNumber"), requests[1].bytes_out), (Some("1"), 5));
    sandbox.clear_requests();
    assert!(sandbox.requests().is_empty());
}

#[test]
fn nothing_is_remembered_if_nobody_asks() {
    let sandbox = Sandbox::start(Config { record: false, ..Config::with_buckets(["bucket"]) }).unwrap();
    assert_eq!(Client::new(&sandbox).s3("PUT", "/bucket/key", &[], b"x").status, Some(200));
    assert!(sandbox.requests().is_empty());
}

#[test]
fn a_test_can_wait_for_a_request() {
    let sandbox = Arc::new(Sandbox::start(Config::with_buckets(["bucket"])).unwrap());
    let client = Client::new(&sandbox);
    assert!(!sandbox.wait_for("PutObject", 1, std::time::Duration::ZERO));
    let waiting = thread::spawn({
        let sandbox = sandbox.clone();
        move || sandbox.wait_for("PutObject", 2, PATIENCE) && sandbox.wait_for_answer("*", 2, PATIENCE)
    });
    client.s3("PUT", "/bucket/k", &[], b"1");
    client.s3("PUT", "/bucket/k", &[], b"2");
    assert!(waiting.join().unwrap());
}

#[test]
fn both_versions_of_tls_are_spoken() {
    let sandbox = Sandbox::start(Config::with_buckets(["bucket"])).unwrap();
    for version in [&TLS12, &TLS13] {
        let client = Client::with_versions(&sandbox, &[version]);
        assert_eq!(client.s3("PUT", "/bucket/k", &[], b"x").status, Some(200), "{version:?}");
    }
}

#[test]
fn a_bucket_may_stand_in_the_host_name() {
    let sandbox = Sandbox::start(Config::with_buckets(["bucket"])).unwrap();
    let by_path = Client::new(&sandbox);
    let mut by_host = by_path.clone();
    by_host.host = by_path.address.replace("127.0.0.1", "bucket.localhost");
    assert_eq!(by_host.s3("PUT", "/key", &[], b"text").status, Some(200));
    assert_eq!(by_path.s3("GET", "/bucket/key", &[], b"").body, b"text");
    let rule = by_host.s3("GET", "/?encryption", &[], b"").body;
    assert!(String::from_utf8(rule).unwrap().contains("AES256"));
    let operations: Vec<_> = sandbox.requests().into_iter().map(|request| request.operation).collect();
    assert_eq!(operations, ["PutObject", "GetObject", "GetBucketEncryption"]);
}

#[test]
fn nobody_trusts_it_without_its_own_certificate() {
    let sandbox = Sandbox::start(Config::with_buckets(["bucket"])).unwrap();
    let mut client = Client::new(&sandbox);
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions();
    let config = config.unwrap().with_root_certificates(RootCertStore::empty()).with_no_client_auth();
    client.tls = Some(Arc::new(config));
    assert_eq!(client.s3("GET", "/bucket/k", &[], b"").status, None);
    assert!(sandbox.requests().is_empty());
}

#[test]
fn dropping_it_frees_port_and_folder() {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let address = sandbox.endpoint().replace("https://", "");
    let folder = sandbox.ca_folder().to_owned();
    let idle = TcpStream::connect(&address).unwrap();
    assert!(folder.join("ca.pem").exists());
    drop(sandbox);
    assert!(!folder.exists());
    assert!(TcpStream::connect(&address).is_err());
    drop(idle);
}

#[test]
fn the_certificate_is_for_this_user_alone_and_without_its_key() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::start(Config::default()).unwrap();
    assert_eq!(fs::metadata(sandbox.ca_folder()).unwrap().permissions().mode() & 0o777, 0o700);
    let files: Vec<_> =
        fs::read_dir(sandbox.ca_folder()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, ["ca.pem"]);
    assert!(!fs::read_to_string(sandbox.ca_file()).unwrap().contains("PRIVATE"));
}

#[test]
fn it_starts_and_ends_within_a_runtime_too() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let sandbox = Sandbox::start(Config::with_buckets(["bucket"])).unwrap();
        assert_eq!(Client::new(&sandbox).s3("PUT", "/bucket/k", &[], b"x").status, Some(200));
    });
}

#[test]
fn a_taken_port_is_an_error() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    assert!(Sandbox::start(Config { port, ..Config::default() }).is_err());
}

/// The running program; killed if a test gives up on it.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended already in every test that has passed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Program {
    /// Starts it and reads the environment that it prints.
    fn start(arguments: &[&str], env_file: &Path) -> (Self, Vec<(String, String)>) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_s3seal-sandbox"))
            .args(arguments)
            .arg("--env-file")
            .arg(env_file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map(Self)
            .unwrap();
        let lines = BufReader::new(child.0.stdout.as_mut().unwrap()).lines();
        let pair = |line: String| {
            let (name, value) = line.strip_prefix("export ").unwrap().split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        };
        let printed = lines.take(NAMES.len()).map(|line| pair(line.unwrap())).collect();
        (child, printed)
    }
}

/// What the program exports, in this order.
const NAMES: [&str; 8] = [
    "AWS_ENDPOINT_URL",
    "AWS_CA_BUNDLE",
    "AWS_ENDPOINT_URL_S3_CONTROL",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_EC2_METADATA_DISABLED",
];

#[test]
fn the_program_prints_its_environment_and_ends_on_a_signal() {
    let folder = tempfile::tempdir().unwrap();
    let env_file = folder.path().join("env");
    for signal in ["TERM", "INT", "HUP"] {
        let (mut program, printed) =
            Program::start(&["--bucket", "bucket", "--kms-alias", "demo"], &env_file);
        let names: Vec<_> = printed.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, NAMES);
        assert!(
            fs::read_to_string(&env_file).unwrap().starts_with("export AWS_ENDPOINT_URL=https://127.0.0.1:")
        );
        let ca_file = Path::new(&printed[1].1);
        assert!(ca_file.exists());
        let pid = program.0.id().to_string();
        assert!(Command::new("kill").arg(format!("-{signal}")).arg(pid).status().unwrap().success());
        assert!(program.0.wait().unwrap().success(), "{signal}");
        assert!(!ca_file.parent().unwrap().exists());
        assert!(!env_file.exists());
    }
}

#[test]
fn the_program_ends_with_its_standard_input_if_told() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--until-stdin-closes", "--http"];
    let (mut program, printed) = Program::start(&arguments, &folder.path().join("env"));
    drop(program.0.stdin.take());
    assert!(program.0.wait().unwrap().success());
    assert!(!Path::new(&printed[1].1).exists());
}
