//! A bare HTTP client that shows what a library would hide: how a connection ended, and every byte before that.
//!
//! It signs as AWS clients do, for S3 with an unsigned payload, for KMS with a hashed one.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::{digest, hmac};
use s3seal_sandbox::Sandbox;
use serde_json::Value;
use time::{OffsetDateTime, macros::format_description};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
    crypto::aws_lc_rs::default_provider,
    version::{TLS12, TLS13},
};

/// Longer than any answer takes; only a broken test waits so long.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Whom to talk to, and as whom.
#[derive(Clone)]
pub struct Client {
    pub address: String,
    /// What the `Host` header says.
    pub host: String,
    pub tls: Option<Arc<ClientConfig>>,
    pub access_key: String,
    pub secret_key: String,
    pub region: String,
    pub clock: time::Duration,
    /// That of temporary credentials.
    pub session_token: Option<String>,
}

/// What came back.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The status, unless the connection ended before it.
    pub status: Option<u16>,
    /// The names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as far as it came.
    pub body: Vec<u8>,
    /// How the connection ended, unless it was in order.
    pub error: Option<io::ErrorKind>,
}

impl Outcome {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

impl Client {
    pub fn new(sandbox: &Sandbox) -> Self {
        Self::with_versions(sandbox, &[&TLS12, &TLS13])
    }

    pub fn with_versions(sandbox: &Sandbox, versions: &[&'static SupportedProtocolVersion]) -> Self {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(sandbox.ca_file()).unwrap() {
            roots.add(certificate.unwrap()).unwrap();
        }
        let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self::of(sandbox, &sandbox.endpoint(), Some(Arc::new(tls)))
    }

    pub fn plain(sandbox: &Sandbox) -> Self {
        Self::of(sandbox, &sandbox.http_endpoint(), None)
    }

    fn of(sandbox: &Sandbox, endpoint: &str, tls: Option<Arc<ClientConfig>>) -> Self {
        let env = sandbox.env();
        let value = |name: &str| env.iter().find(|(found, _)| found == name).unwrap().1.clone();
        Self {
            address: endpoint.split_once("://").unwrap().1.to_owned(),
            host: endpoint.split_once("://").unwrap().1.to_owned(),
            tls,
            access_key: value("AWS_ACCESS_KEY_ID"),
            secret_key: value("AWS_SECRET_ACCESS_KEY"),
            region: value("AWS_REGION"),
            clock: time::Duration::ZERO,
            session_token: None,
        }
    }

    /// Sends one S3 request on a connection of its own.
    pub fn s3(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Outcome {
        let mut all = vec![("x-amz-content-sha256", "UNSIGNED-PAYLOAD")];
        all.extend_from_slice(headers);
        self.send("s3", method, target, &all, "UNSIGNED-PAYLOAD", body)
    }

    /// Puts a body in two chunks with a checksum behind it, as AWS clients do over TLS.
    pub fn put_trailed(&self, target: &str, body: &[u8], trailer: (&str, &str)) -> Outcome {
        let payload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
        let (first, second) = body.split_at(body.len() / 2);
        let mut chunks = Vec::new();
        for chunk in [first, second] {
            chunks.extend(format!("{:x}\r\n", chunk.len()).bytes());
            chunks.extend(chunk);
            chunks.extend(b"\r\n");
        }
        chunks.extend(format!("0\r\n{}:{}\r\n\r\n", trailer.0, trailer.1).bytes());
        let length = body.len().to_string();
        let headers = [
            ("content-encoding", "aws-chunked"),
            ("x-amz-content-sha256", payload),
            ("x-amz-decoded-content-length", length.as_str()),
            ("x-amz-trailer", trailer.0),
        ];
        self.send("s3", "PUT", target, &headers, payload, &chunks)
    }

    /// Sends one request without a signature.
    pub fn unsigned(&self, method: &str, target: &str) -> Outcome {
        let head = format!(
            "{method} {target} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
            self.address
        );
        let mut received = Vec::new();
        let ended = self.exchange(&head, b"", &mut received);
        parse(&received, ended.err().map(|error| error.kind()))
    }

    /// Calls a KMS operation: the status and the JSON of its answer.
    pub fn kms(&self, operation: &str, request: &Value) -> (u16, Value) {
        let body = request.to_string();
        let target = format!("TrentService.{operation}");
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
        let outcome = self.send("kms", "POST", "/", &headers, &sha256(body.as_bytes()), body.as_bytes());
        let json = if outcome.body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&outcome.body).unwrap()
        };
        (outcome.status.unwrap(), json)
    }

    fn send(
        &self,
        service: &str,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        payload: &str,
        body: &[u8],
    ) -> Outcome {
        let head = self.head(service, method, target, headers, payload, body.len());
        let mut received = Vec::new();
        let ended = self.exchange(&head, body, &mut received);
        parse(&received, ended.err().map(|error| error.kind()))
    }

    /// Writes, then reads to the end, keeping what came before an error.
    fn exchange(&self, head: &str, body: &[u8], received: &mut Vec<u8>) -> io::Result<()> {
        let tcp = TcpStream::connect(&self.address)?;
        tcp.set_read_timeout(Some(PATIENCE))?;
        tcp.set_write_timeout(Some(PATIENCE))?;
        match &self.tls {
            None => talk(tcp, head, body, received),
            Some(tls) => {
                let name = ServerName::try_from("127.0.0.1").unwrap();
                let connection = ClientConnection::new(tls.clone(), name).unwrap();
                talk(StreamOwned::new(connection, tcp), head, body, received)
            }
        }
    }

    fn head(
        &self,
        service: &str,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        payload: &str,
        len: usize,
    ) -> String {
        let now = OffsetDateTime::now_utc() + self.clock;
        let stamp = now.format(format_description!("[year][month][day]T[hour][minute][second]Z")).unwrap();
        let mut all: Vec<(&str, &str)> = headers.to_vec();
        all.extend([("host", self.host.as_str()), ("x-amz-date", stamp.as_str())]);
        all.extend(self.session_token.as_deref().map(|token| ("x-amz-security-token", token)));
        all.sort_unstable();
        let names = all.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let lines: String = all.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let canonical = format!("{method}\n{path}\n{}\n{lines}\n{names}\n{payload}", sorted(query));
        let scope = format!("{}/{}/{service}/aws4_request", &stamp[..8], self.region);
        let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}", sha256(canonical.as_bytes()));
        let key = scope
            .split('/')
            .fold(format!("AWS4{}", self.secret_key).into_bytes(), |key, part| mac(&key, part));
        let signature = hex(&mac(&key, &text));
        let wire: String = all.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!(
            "{method} {target} HTTP/1.1\r\n{wire}content-length: {len}\r\nconnection: close\r\nauthorization: \
             AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}\r\n\r\n",
            self.access_key
        )
    }
}

fn talk(mut stream: impl Read + Write, head: &str, body: &[u8], received: &mut Vec<u8>) -> io::Result<()> {
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    stream.flush()?;
    stream.read_to_end(received).map(drop)
}

fn parse(received: &[u8], error: Option<io::ErrorKind>) -> Outcome {
    let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Outcome { error, ..Outcome::default() };
    };
    let head = String::from_utf8(received[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let pair = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_ascii_lowercase(), value.to_owned())
    };
    Outcome {
        status: Some(status),
        headers: lines.map(pair).collect(),
        body: received[end + 4..].to_vec(),
        error,
    }
}

fn sorted(query: &str) -> String {
    let mut pairs: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| if pair.contains('=') { pair.to_owned() } else { format!("{pair}=") })
        .collect();
    pairs.sort();
    pairs.join("&")
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
