//! A server that cannot be known to be the one meant: trying again does not help, so that it is not the network's code.

use s3seal_sandbox::{Certificate, Config};

use crate::support::{BUCKET, Bench};

#[test]
fn a_certificate_out_of_its_time_points_to_the_clock() {
    for certificate in [Certificate::Expired, Certificate::NotYetValid] {
        let bench = Bench::with(Config { certificate, ..Config::with_buckets([BUCKET]) });
        bench.write("source", b"text");
        bench.run("put source s3://bench/object").exits(6).says(&[
            "the server's certificate has expired, or is not valid yet",
            "hint: check this machine's clock (`date -u`)",
        ]);
    }
}

#[test]
fn https_to_a_port_that_speaks_http_is_told_as_such() {
    let bench = Bench::with(Config { http: true, ..Config::with_buckets([BUCKET]) });
    bench.write("source", b"text");
    let endpoint = bench.sandbox.http_endpoint().replace("http://", "https://");
    let line = format!("put source s3://bench/object --endpoint-url {endpoint}");
    let ended = bench.run(&line).exits(6);
    ended.says(&["the server does not speak TLS at this port", "write http:// in place of https://"]);
    // The hint works.
    bench.run(&line.replace("https://", "http://")).ok();
}
