//! How fast the formats seal and open on one core, beside AES-GCM in one call and a plain copy; and AES-256-GCM of AWS-LC,
//! which they and TLS use, beside that of RustCrypto, a record of TLS or a frame at a time.
//!
//! `cargo bench --bench seal`. Nothing but memory is touched, and time is the thread's own, so that other work on the
//! machine disturbs little; only ratios within one run mean something. What the network costs is `run`'s.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a program for people who measure")]
#![allow(clippy::cast_precision_loss, reason = "three digits are shown")]

use std::hint::black_box;
use std::time::Instant;

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use aws_lc_rs::aead;
use s3seal::checksum::Algorithm;
use s3seal::encryption::{Context, Legacy};
use s3seal::keys::{DataKey, KeyRing, SymmetricKey};
use s3seal::seal::Output;
use s3seal::seal::detect::{Detected, detect};
use s3seal::seal::esdk::{self, NewMessage};
use s3seal::seal::gcm::Gmac;
use s3seal::seal::ring::Unwrapper;
use s3seal::seal::s3ec::{self, Storage};
use s3seal::seal::wrap::{self, Alg, LocalKey};
use s3seal::seal::{Open, Seal};
use zeroize::Zeroizing;

/// Bytes of a part, and of a message in one call: what one request carries.
const PART: usize = 8 << 20;
/// Parts of one message.
const PARTS: usize = 8;
/// Bytes pushed at once when sealing: what the source reads at once.
const PIECE: usize = 256 << 10;
/// Bytes pushed at once when opening: what TLS hands over at once.
const RECORD: usize = 16 << 10;
/// Bytes of a tag.
const TAG: usize = 16;
/// More bytes than a header for one recipient has.
const HEADER: usize = 4 << 10;
/// Each job is done so often, in turns with the others.
const ROUNDS: usize = 9;

/// Takes the plain bytes or holds its own, and returns how many went through.
type Run = Box<dyn FnMut(&[u8], &mut Output) -> usize>;

/// One thing to measure.
struct Job {
    name: String,
    run: Run,
    seconds: Vec<f64>,
}

fn job(name: impl Into<String>, run: impl FnMut(&[u8], &mut Output) -> usize + 'static) -> Job {
    Job { name: name.into(), run: Box::new(run), seconds: Vec::new() }
}

fn main() {
    let plain: Vec<u8> = (0..PART).map(|i| u8::try_from((i * 31 + i / 256 * 7) % 251).unwrap()).collect();
    let mut jobs = jobs(&plain);
    let mut out = Output::with_capacity(PART + PIECE);
    for round in 0..=ROUNDS {
        for job in &mut jobs {
            out.clear();
            let start = thread_seconds();
            let bytes = black_box((job.run)(black_box(&plain), &mut out));
            let seconds = (thread_seconds() - start) / bytes as f64 * 1e9;
            // The first round fills caches and memory.
            if round > 0 {
                job.seconds.push(seconds);
            }
        }
    }
    print(&mut jobs);
}

fn jobs(plain: &[u8]) -> Vec<Job> {
    let mut jobs = formats(plain);
    for message in [16 << 10, 64 << 10] {
        jobs.extend(libraries(message));
    }
    jobs
}

/// AES-256-GCM in place, in messages of this size.
fn libraries(message: usize) -> [Job; 4] {
    let key = [3; 32];
    let aws_lc = || aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_256_GCM, &key).unwrap());
    let rust_crypto = || Aes256Gcm::new(&Key::<Aes256Gcm>::from(key));
    let name = |what: &str| format!("{what}, {} KiB in place", message >> 10);
    let (seal, open) = (aws_lc(), aws_lc());
    let (seal_rust, open_rust) = (rust_crypto(), rust_crypto());
    let nonce = || aead::Nonce::assume_unique_for_key([5; 12]);
    let mut sealed = vec![0; message];
    let tag = seal.seal_in_place_separate_tag(nonce(), aead::Aad::empty(), &mut sealed).unwrap();
    let (with_tag, tag) =
        ([&sealed[..], tag.as_ref()].concat(), aes_gcm::Tag::try_from(tag.as_ref()).unwrap());
    [
        job(
            name("AWS-LC seal"),
            in_place(message, move |bytes| {
                let tag = seal.seal_in_place_separate_tag(nonce(), aead::Aad::empty(), bytes).unwrap();
                black_box(tag.as_ref());
            }),
        ),
        job(
            name("AWS-LC open"),
            in_place(message + TAG, move |bytes| {
                bytes.copy_from_slice(&with_tag);
                black_box(open.open_in_place(nonce(), aead::Aad::empty(), bytes).unwrap());
            }),
        ),
        job(
            name("RustCrypto seal"),
            in_place(message, move |bytes| {
                black_box(
                    seal_rust.encrypt_inout_detached(&Nonce::from([5; 12]), b"", bytes.into()).unwrap(),
                );
            }),
        ),
        job(
            name("RustCrypto open"),
            in_place(message, move |bytes| {
                bytes.copy_from_slice(&sealed);
                open_rust.decrypt_inout_detached(&Nonce::from([5; 12]), b"", bytes.into(), &tag).unwrap();
            }),
        ),
    ]
}

/// Does `work` on one buffer of this length, as often as the other jobs have bytes.
fn in_place(len: usize, mut work: impl FnMut(&mut [u8])) -> impl FnMut(&[u8], &mut Output) -> usize {
    let mut bytes = vec![0; len];
    move |plain, _| {
        let times = plain.len() * PARTS / len;
        (0..times).for_each(|_| work(&mut bytes));
        times * len
    }
}

fn formats(plain: &[u8]) -> Vec<Job> {
    let cipher = Aes256Gcm::new(&Key::<Aes256Gcm>::from([3; 32]));
    let nonce = Nonce::from([5; 12]);
    let s3ec = sealed(s3ec_sealer(), plain);
    let (esdk, esdk4) = (sealed(esdk_sealer(64 << 10), plain), sealed(esdk_sealer(4 << 10), plain));
    vec![
        job("copy", |plain, out| {
            let mut copy = || {
                out.clear();
                plain.chunks(PIECE).for_each(|piece| out.extend_from_slice(piece));
            };
            each_part(&mut copy, out_len(plain))
        }),
        job("CRC64NVME", |plain, _| {
            each_part(|| drop(black_box(Algorithm::Crc64Nvme.sum(plain))), out_len(plain))
        }),
        job("aes-gcm, copy and seal in one call", move |plain, out| {
            let mut seal = || {
                out.clear();
                let room = out.append(plain.len());
                room.copy_from_slice(plain);
                black_box(cipher.encrypt_inout_detached(&nonce, b"", room.into()).unwrap());
            };
            each_part(&mut seal, out_len(plain))
        }),
        job("SHA-256", |plain, _| {
            each_part(|| drop(black_box(Algorithm::Sha256.sum(plain))), out_len(plain))
        }),
        job("GMAC, as it binds a second pass", |plain, _| {
            let gmac = Gmac::new(DataKey::random().unwrap());
            let tag = || black_box(gmac.tag(0, plain.chunks(RECORD)).unwrap());
            each_part(|| assert_ne!(tag(), [0; TAG]), out_len(plain))
        }),
        job("s3ec seal", |plain, out| seal(s3ec_sealer(), plain, out)),
        job("s3ec open", move |_, out| open(s3ec_opener(&s3ec), &s3ec.1, out)),
        job("esdk seal, frames of 64 KiB", |plain, out| seal(esdk_sealer(64 << 10), plain, out)),
        job("esdk open, frames of 64 KiB", move |_, out| open(esdk_opener(&esdk.1), &esdk.1, out)),
        job("esdk seal, frames of 4 KiB", |plain, out| seal(esdk_sealer(4 << 10), plain, out)),
        job("esdk open, frames of 4 KiB", move |_, out| open(esdk_opener(&esdk4.1), &esdk4.1, out)),
    ]
}

fn out_len(plain: &[u8]) -> usize {
    plain.len() * PARTS
}

fn each_part(mut part: impl FnMut(), bytes: usize) -> usize {
    (0..PARTS).for_each(|_| part());
    bytes
}

/// Seals one message of [`PARTS`] parts; `out` is used again for each part, as a buffer that is sent would be.
fn seal(mut sealer: Box<dyn Seal>, plain: &[u8], out: &mut Output) -> usize {
    for _ in 0..PARTS {
        out.clear();
        plain.chunks(PIECE).for_each(|piece| sealer.push(piece, out).unwrap());
    }
    sealer.finish(out).unwrap();
    plain.len() * PARTS
}

fn open(mut opener: Box<dyn Open>, sealed: &[u8], out: &mut Output) -> usize {
    for part in sealed.chunks(PART) {
        out.clear();
        part.chunks(RECORD).for_each(|piece| opener.push(piece, out).unwrap());
    }
    opener.finish(out).unwrap();
    sealed.len()
}

type Sealed = (s3seal::seal::Attributes, Vec<u8>);

fn sealed(mut sealer: Box<dyn Seal>, plain: &[u8]) -> Sealed {
    let beside = sealer.attributes();
    let mut out = Output::new();
    (0..PARTS).for_each(|_| sealer.push(plain, &mut out).unwrap());
    sealer.finish(&mut out).unwrap();
    (beside, out.to_vec())
}

fn key() -> SymmetricKey {
    SymmetricKey::new(Zeroizing::new(vec![7; 32])).unwrap()
}

fn unwrapper() -> Unwrapper {
    Unwrapper::new(KeyRing { symmetric: vec![key()], ..KeyRing::default() })
}

fn s3ec_sealer() -> Box<dyn Seal> {
    let data_key = DataKey::random().unwrap();
    let wrapped = wrap::wrap(Alg::Committing, &data_key, &LocalKey::Aes(&key())).unwrap();
    s3ec::sealer(&data_key, wrapped, Storage::Metadata, None).unwrap()
}

fn s3ec_opener((beside, _): &Sealed) -> Box<dyn Open> {
    let Detected::S3ec(envelope) = detect("the message", &beside.metadata).unwrap() else {
        panic!("not recognised")
    };
    unwrapper().unwrap_s3ec(envelope.permit(Legacy::Refused).unwrap()).unwrap().opener().unwrap()
}

fn esdk_sealer(frame: u32) -> Box<dyn Seal> {
    let mut message = NewMessage::new(DataKey::random().unwrap(), &Context::default()).unwrap();
    message.add(&LocalKey::Aes(&key()), None).unwrap();
    message.seal(Some(frame), None).unwrap()
}

fn esdk_opener(sealed: &[u8]) -> Box<dyn Open> {
    // The header alone: all that is handed over would be copied.
    let message = esdk::read("the message", &sealed[..HEADER]).unwrap();
    let permitted = message.permit(Legacy::default(), &Context::default()).unwrap();
    unwrapper().unwrap_esdk(&permitted).unwrap().opener().unwrap()
}

/// Seconds that this thread has run: the first number of `schedstat` is nanoseconds on a processor. Where there is
/// none, the clock on the wall.
fn thread_seconds() -> f64 {
    // The system counts when it takes the processor away.
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    match text.split(' ').next().and_then(|first| first.parse::<f64>().ok()) {
        Some(nanoseconds) => nanoseconds / 1e9,
        None => wall_seconds(),
    }
}

/// The processor's name, as far as the system tells, and its load.
fn cpu() -> String {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let line = |name: &str| {
        let found = read("/proc/cpuinfo").lines().find(|line| line.starts_with(name)).map(str::to_owned);
        found.and_then(|line| Some(line.split_once(':')?.1.trim().to_owned())).unwrap_or_default()
    };
    let flags = line("flags");
    let has = ["aes", "sha_ni", "vaes", "vpclmulqdq", "avx2", "avx512f"].map(|flag| {
        if flags.split(' ').any(|found| found == flag) { flag.to_owned() } else { format!("no {flag}") }
    });
    let load = read("/proc/loadavg");
    format!(
        "{} ({}), load {}",
        line("model name"),
        has.join(", "),
        load.split(' ').next().unwrap_or_default()
    )
}

fn wall_seconds() -> f64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64()
}

fn print(jobs: &mut [Job]) {
    let mut median = |name: &str| {
        let job = jobs.iter_mut().find(|job| job.name.starts_with(name)).unwrap();
        job.seconds.sort_by(f64::total_cmp);
        job.seconds[job.seconds.len() / 2]
    };
    let (copy, reference) = (median("copy"), median("aes-gcm"));
    println!("{}", cpu());
    println!("{} MiB a round, {ROUNDS} rounds, medians of CPU time on one core\n", (PART * PARTS) >> 20);
    println!("| job | GB/s | slowest–fastest | time ÷ copy | speed ÷ aes-gcm |");
    println!("|---|---|---|---|---|");
    for job in jobs {
        job.seconds.sort_by(f64::total_cmp);
        let (fast, slow) = (job.seconds[0], job.seconds[job.seconds.len() - 1]);
        let middle = job.seconds[job.seconds.len() / 2];
        println!(
            "| {} | {:.2} | {:.2}–{:.2} | {:.2} | {:.2} |",
            job.name,
            1.0 / middle,
            1.0 / slow,
            1.0 / fast,
            middle / copy,
            reference / middle,
        );
    }
}
