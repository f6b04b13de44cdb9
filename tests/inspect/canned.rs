//! A server with answers of its own, over plain HTTP on loopback: for what no S3 says today.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

/// Serves until the test ends; each connection takes one request.
pub struct Canned {
    address: SocketAddr,
}

impl Canned {
    /// Answers each request by its first line.
    pub fn new(answer: impl Fn(&str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                serve(&stream, &answer);
            }
        });
        Self { address }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// An XML answer.
    pub fn xml(body: &str) -> String {
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/xml\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
    }

    /// S3's answer for what is not there.
    pub fn not_found() -> String {
        let body =
            "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>";
        Self::xml(body).replace("200 OK", "404 Not Found")
    }
}

fn serve(stream: &TcpStream, answer: &impl Fn(&str) -> String) {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    if reader.read_line(&mut first).unwrap_or(0) == 0 {
        return;
    }
    let mut line = String::new();
    while reader.read_line(&mut line).unwrap_or(0) > 2 {
        line.clear();
    }
    // The client may have gone; the test sees that by what it says.
    let _ =
        (&mut &*stream).write_all(answer(&first).replacen("\r\n", "\r\nconnection: close\r\n", 1).as_bytes());
}
