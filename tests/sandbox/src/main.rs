//! The sandbox as a program: for the demo, and for clients that are not Rust tests.
//!
//! It prints the environment that leads AWS clients to it and stays until it is told to stop. All else is the library's.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use s3seal_sandbox::{Config, Sandbox};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// A throw-away S3 and KMS on 127.0.0.1, over HTTPS.
#[derive(Parser)]
#[command(name = "s3seal-sandbox", version)]
struct Arguments {
    /// Port for HTTPS; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Serve plain HTTP as well, on another free port, printed as a comment.
    #[arg(long)]
    http: bool,
    /// Keep objects' bodies in this folder, encrypted, instead of in memory.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Make this bucket at the start; may be repeated.
    #[arg(long, value_name = "NAME")]
    bucket: Vec<String>,
    /// Make a KMS key with this alias at the start; may be repeated.
    #[arg(long, value_name = "NAME")]
    kms_alias: Vec<String>,
    /// Write the environment to this file too; it is removed at the end.
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Stop when standard input is closed.
    #[arg(long)]
    until_stdin_closes: bool,
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("s3seal-sandbox: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn run(arguments: Arguments) -> io::Result<()> {
    // Before the environment is printed: whoever has read it may send the signal.
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let mut hung_up = signal(SignalKind::hangup())?;
    let sandbox = Sandbox::start(Config {
        port: arguments.port,
        http: arguments.http,
        folder: arguments.folder,
        buckets: arguments.bucket,
        kms_aliases: arguments.kms_alias,
        record: false,
        ..Config::default()
    })?;
    let environment = environment(&sandbox, arguments.http);
    let env_file = arguments.env_file.map(|path| EnvFile::write(path, &environment)).transpose()?;
    io::stdout().write_all(environment.as_bytes())?;
    io::stdout().flush()?;
    let stdin_closed = stdin_closed(arguments.until_stdin_closes);
    tokio::select! {
        _ = interrupted.recv() => {}
        _ = terminated.recv() => {}
        _ = hung_up.recv() => {}
        () = stdin_closed => {}
    }
    drop(env_file);
    drop(sandbox);
    Ok(())
}

/// The environment as lines for a shell.
fn environment(sandbox: &Sandbox, http: bool) -> String {
    let line = |(name, value): (String, String)| format!("export {name}={}\n", quoted(&value));
    let mut lines: String = sandbox.env().into_iter().map(line).collect();
    if http {
        lines.push_str(&format!("# plain HTTP: {}\n", sandbox.http_endpoint()));
    }
    lines
}

/// The value as a shell reads it back unchanged.
fn quoted(value: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/:._-".contains(letter);
    if value.chars().all(plain) { value.to_owned() } else { format!("'{}'", value.replace('\'', r"'\''")) }
}

/// Resolves when standard input is at its end, or never if that is not to count.
async fn stdin_closed(counts: bool) {
    if !counts {
        return std::future::pending().await;
    }
    // A thread, because a task that reads standard input would keep the runtime from ending.
    let (closed, at_end) = oneshot::channel();
    std::thread::spawn(move || {
        // Unreadable is closed, too; and nobody listens any more once a signal has come.
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        let _ = closed.send(());
    });
    let _ = at_end.await;
}

/// The environment in a file; removed when dropped, as it leads nowhere then.
struct EnvFile(PathBuf);

impl EnvFile {
    /// Writes beside the file and renames, so that whoever waits for it never reads half of it.
    fn write(path: PathBuf, text: &str) -> io::Result<Self> {
        let mut name = path.clone().into_os_string();
        name.push(".new");
        let temporary = Path::new(&name);
        let mut file =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(temporary)?;
        file.write_all(text.as_bytes())?;
        fs::rename(temporary, &path)?;
        Ok(Self(path))
    }
}

impl Drop for EnvFile {
    fn drop(&mut self) {
        // It may have been removed already, which is as good.
        let _ = fs::remove_file(&self.0);
    }
}
