//! The running server: HTTPS on loopback in front of S3 and KMS, with faults and a recorder.
//!
//! It has a thread and a runtime of its own, so that a test may block while the server goes on, and so that dropping
//! [`Sandbox`] ends every connection, also one that stalls. What S3 and KMS mean is in their own rooms.

mod absence;
mod accept;
mod answer;
mod body;
mod dispatch;
mod faults;
mod operation;
mod recorder;
mod sigv4;
mod sts;
mod tls;
mod wire;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

pub use answer::{Answer, Sent};
pub use faults::{Fault, Gate, Kind, Struck};
pub use recorder::Recorded;

use crate::config::Config;
use crate::iam::User;
use crate::kms::Kms;
use crate::s3::{self, S3State, Storage};
use dispatch::Dispatch;

/// How long the end waits for work that cannot be dropped, such as a write to disk.
const PATIENCE: Duration = Duration::from_secs(2);

/// A running S3 and KMS; dropping it stops it.
pub struct Sandbox {
    dispatch: Arc<Dispatch>,
    s3: Arc<S3State>,
    ca: tls::CaFolder,
    port: u16,
    http_port: Option<u16>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts a server; once this returns, it answers.
    ///
    /// # Errors
    /// If the port is taken, or a folder cannot be made.
    pub fn start(config: Config) -> io::Result<Self> {
        let (server_config, ca_pem) = tls::server_config(config.certificate, config.post_quantum)?;
        let ca = tls::CaFolder::new(&ca_pem)?;
        let https = accept::bind(config.port)?;
        let http = config.http.then(|| accept::bind(0)).transpose()?;
        let port = https.local_addr()?.port();
        let http_port =
            http.as_ref().map(std::net::TcpListener::local_addr).transpose()?.map(|addr| addr.port());

        let kms = Arc::new(Kms::new(&config.region, &config.account));
        config.kms_aliases.iter().for_each(|alias| drop(kms.create_key_with_alias(alias)));
        let storage = config.folder.clone().map_or(Storage::Memory, Storage::Folder);
        let state = S3State::new(kms.clone(), storage, &config.region, &config.account);
        config.buckets.iter().for_each(|bucket| state.create_bucket(bucket));
        let credentials = (config.credentials.access_key.as_str(), config.credentials.secret_key.as_str());
        let dispatch = Arc::new(Dispatch {
            s3: s3::service(state.clone(), credentials),
            recorder: recorder::Recorder::new(config.record, config.record_bodies),
            config,
            kms,
            faults: faults::Faults::default(),
            absence: absence::Absence::default(),
        });

        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let listeners = [(Some(https), Some(TlsAcceptor::from(server_config))), (http, None)];
        for (listener, acceptor) in listeners {
            if let Some(listener) = listener {
                runtime.spawn(accept::accept(listener, acceptor, dispatch.clone()));
            }
        }
        let (stop, stopped) = oneshot::channel();
        let thread =
            std::thread::Builder::new().name("sandbox".to_owned()).spawn(|| keep(runtime, stopped))?;
        Ok(Self { dispatch, s3: state, ca, port, http_port, stop: Some(stop), thread: Some(thread) })
    }

    /// The HTTPS endpoint, by address: so clients put the bucket into the path.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// The plain HTTP endpoint.
    ///
    /// # Panics
    /// If [`Config::http`] was not set.
    #[must_use]
    pub fn http_endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.http_port.expect("plain HTTP was asked for"))
    }

    /// The certificate that clients must trust, in PEM; the file is gone when the sandbox is dropped.
    #[must_use]
    pub fn ca_file(&self) -> PathBuf {
        self.ca.file()
    }

    /// The environment that leads a client of AWS here, over HTTPS, and nowhere else.
    #[must_use]
    pub fn env(&self) -> Vec<(String, String)> {
        let config = &self.dispatch.config;
        let ca_file = self.ca_file().to_string_lossy().into_owned();
        let pairs = [
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("AWS_CA_BUNDLE", ca_file),
            ("AWS_ENDPOINT_URL_S3_CONTROL", self.endpoint()),
            ("AWS_ACCESS_KEY_ID", config.credentials.access_key.clone()),
            ("AWS_SECRET_ACCESS_KEY", config.credentials.secret_key.clone()),
            ("AWS_REGION", config.region.clone()),
            // What the Python clients read instead.
            ("AWS_DEFAULT_REGION", config.region.clone()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ];
        let token = self.user().session_token().map(|token| ("AWS_SESSION_TOKEN", token));
        pairs.into_iter().chain(token).map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The state of S3, to look at and to change behind a client's back.
    #[must_use]
    pub fn s3(&self) -> &S3State {
        &self.s3
    }

    /// The keys, to look at and to change behind a client's back.
    #[must_use]
    pub fn kms(&self) -> &Kms {
        &self.dispatch.kms
    }

    /// The one user, whom a policy can bind in S3 and KMS alike.
    #[must_use]
    pub fn user(&self) -> &User {
        self.dispatch.kms.user()
    }

    /// Sets a fault; the answer tells when it has struck.
    pub fn fault(&self, fault: Fault) -> Struck {
        self.dispatch.faults.add(fault)
    }

    /// Takes back the faults that have not struck yet.
    pub fn clear_faults(&self) {
        self.dispatch.faults.clear();
    }

    /// Resets all connections, and each new one, until [`Sandbox::come_back`]; the answer tells how many came in vain.
    pub fn go_away(&self) -> Struck {
        self.dispatch.absence.begin()
    }

    /// Ends the absence.
    pub fn come_back(&self) {
        self.dispatch.absence.end();
    }

    /// Every request since the start or [`Sandbox::clear_requests`], in the order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.dispatch.recorder.requests()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.dispatch.recorder.clear();
    }

    /// Waits until so many requests of an operation (`*` is any) have arrived; false if the time is over first.
    #[must_use]
    pub fn wait_for(&self, operation: &str, count: usize, timeout: Duration) -> bool {
        self.dispatch.recorder.wait(|entry| recorder::is(entry, operation), count, timeout)
    }

    /// Waits until so many requests of an operation (`*` is any) are answered; false if the time is over first.
    #[must_use]
    pub fn wait_for_answer(&self, operation: &str, count: usize, timeout: Duration) -> bool {
        self.dispatch.recorder.wait(|entry| recorder::is_answered(entry, operation), count, timeout)
    }

    /// The folder that holds the CA file.
    #[must_use]
    pub fn ca_folder(&self) -> &Path {
        self.ca.path()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Either may be gone only if the thread has panicked, which the test's output shows by itself.
        let _ = self.stop.take().map(|stop| stop.send(()));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Keeps the runtime until the sandbox is dropped, then ends it with all its connections.
fn keep(runtime: Runtime, stopped: oneshot::Receiver<()>) {
    // An error means that the sender is gone, which is the end as well.
    let _ = stopped.blocking_recv();
    runtime.shutdown_timeout(PATIENCE);
}
