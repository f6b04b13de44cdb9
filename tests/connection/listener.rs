//! A listener on loopback that keeps what it is sent: a proxy, or a server of which only the requests matter.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What it says to everything: enough for a client to give up at once, and no tunnel for a proxy's.
const ANSWER: &[u8] = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// Listens until the test ends.
pub struct Listener {
    address: SocketAddr,
    received: Arc<Mutex<Vec<u8>>>,
}

impl Listener {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let record = received.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let record = record.clone();
                thread::spawn(move || serve(stream, &record));
            }
        });
        Self { address, received }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every byte so far.
    pub fn received(&self) -> Vec<u8> {
        self.received.lock().unwrap().clone()
    }

    /// The first lines of all requests so far.
    pub fn request_lines(&self) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.received()).into_owned();
        let lines = text.lines().filter(|line| line.ends_with(" HTTP/1.1"));
        lines.map(|line| line.trim_end_matches(" HTTP/1.1").to_owned()).collect()
    }
}

fn serve(mut stream: TcpStream, record: &Mutex<Vec<u8>>) {
    let mut bytes = [0; 4096];
    let mut head = Vec::new();
    // The client may hang up whenever it likes.
    while let Ok(count) = stream.read(&mut bytes) {
        if count == 0 {
            break;
        }
        record.lock().unwrap().extend_from_slice(&bytes[..count]);
        head.extend_from_slice(&bytes[..count]);
        if head.windows(4).any(|end| end == b"\r\n\r\n") {
            let _ = stream.write_all(ANSWER);
            head.clear();
        }
    }
}
