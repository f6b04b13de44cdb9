//! Whoever holds the bucket and not the key: nothing that is not proven leaves, and it ends in failure.

use super::detection::with_vector;
use super::stored::{FRAME, Stored, message};
use crate::support::{BUCKET, PART, assert_same};

/// What is done to stored bytes.
type Change<'a> = &'a dyn Fn(&mut Vec<u8>);

/// What comes out of a pipe that is cut at this frame: all before it, nothing of it, exit code 6.
fn ends_at(stored: &Stored, frame: usize, what: &str) {
    let ended = stored.bench.run("get s3://bench/object - --key key --part-size 5MiB").exits(6);
    assert_same(&ended.stdout, stored.before(frame), what);
    ended.says(&["s3://bench/object cannot be trusted"]);
    stored.bench.run("get s3://bench/object copy --key key --part-size 5MiB").exits(6).writes_nothing();
    assert!(!stored.bench.names().contains(&"copy".to_owned()), "{what}: a file");
}

#[test]
fn a_flipped_byte_ends_the_pipe_at_its_frame() {
    let stored = Stored::new(5 * FRAME + 100);
    for frame in 1..=6 {
        let at = stored.frame_at(frame);
        // Number, nonce, content, tag.
        for place in [at.start + 3, at.start + 15, at.start + 40, at.end - 20, at.end - 1] {
            stored.spoil(|sealed| sealed[place] ^= 0x10);
            ends_at(&stored, frame, &format!("frame {frame}, byte {place}"));
        }
    }
}

#[test]
fn a_flipped_byte_in_the_middle_of_many_parts_ends_the_pipe_at_its_frame() {
    let stored = Stored::new(4 * PART);
    let frame = stored.frames() / 2;
    let place = stored.frame_at(frame).start + 1000;
    stored.spoil(|sealed| sealed[place] ^= 1);
    ends_at(&stored, frame, "the middle");
}

#[test]
fn a_changed_header_lets_nothing_out() {
    let stored = Stored::with(2 * FRAME, FRAME, "--context a=b");
    for place in 0..stored.header() {
        stored.spoil(|sealed| sealed[place] ^= 1);
        let ended = stored.bench.run("get s3://bench/object - --key key");
        let code = ended.code();
        // A changed wrapped key or context is a key that does not fit; another suite or another way of wrapping is
        // nothing that is known here.
        assert!(matches!(code, Some(2 | 5 | 6)), "byte {place}: {code:?} {}", ended.stderr);
        ended.writes_nothing();
    }
}

#[test]
fn a_message_cut_between_frames_or_anywhere_ends_in_failure() {
    let stored = Stored::new(3 * FRAME + 100);
    for frame in 1..=4 {
        let at = stored.frame_at(frame);
        for end in [at.start, at.start + 3, at.start + 16, at.start + 50, at.end - 1] {
            stored.spoil(|sealed| sealed.truncate(end));
            ends_at(&stored, frame, &format!("cut at {end}"));
        }
    }
    for end in [stored.header() - 1, stored.header() / 2, 5, 4] {
        stored.spoil(|sealed| sealed.truncate(end));
        stored.bench.run("get s3://bench/object - --key key").exits(6).writes_nothing();
    }
}

#[test]
fn a_length_that_claims_more_than_is_there_is_damage_framed_or_not() {
    // The length of an unframed body, and of a final frame in a message whose frames may have 2 GiB. More than is held in
    // memory, and less.
    for (id, field, claims) in [
        ("s0478-nonframed-5000", 12..20, [&5001_u64.to_be_bytes()[..], &(1_u64 << 30).to_be_bytes()]),
        ("ref-s0478-frame-length-max", 20..24, [&60_000_u32.to_be_bytes()[..], &(1_u32 << 30).to_be_bytes()]),
    ] {
        let (bench, _) = with_vector(id);
        let whole = bench.object("object").plaintext.unwrap();
        let body = usize::try_from(message(&whole).header_len()).unwrap();
        bench.run("get s3://bench/object - --key theirs").ok();
        for claim in claims {
            let mut spoilt = whole.clone();
            spoilt[body..][field.clone()].copy_from_slice(claim);
            bench.sandbox.s3().put_plain(BUCKET, "object", &spoilt);
            let ended = bench.run("get s3://bench/object - --key theirs").exits(6).writes_nothing();
            ended.says(&["s3://bench/object cannot be trusted", "cut short"]);
        }
        // What is really longer than fits into memory is not called damaged.
        let mut long = whole.clone();
        long[body..][field.clone()].copy_from_slice(claims[1]);
        long.resize(long.len() + (64 << 20), 0);
        bench.sandbox.s3().put_plain(BUCKET, "object", &long);
        let ended = bench.run("get s3://bench/object - --key theirs").exits(1).writes_nothing();
        ended.says(&["67108864", "memory"]);
    }
}

#[test]
fn a_full_message_without_its_end_ends_in_failure() {
    // The end of a message whose length is a multiple of the frame's could be missed.
    let stored = Stored::new(4 * FRAME);
    let end = stored.frame_at(4).start;
    stored.spoil(|sealed| sealed.truncate(end));
    ends_at(&stored, 4, "without its end");
}

#[test]
fn bytes_after_the_end_are_refused() {
    let stored = Stored::new(2 * FRAME + 9);
    for more in [&b"\0"[..], b"x", &stored.sealed[stored.frame_at(3)], &stored.sealed[..]] {
        stored.spoil(|sealed| sealed.extend_from_slice(more));
        let ended = stored.bench.run("get s3://bench/object - --key key").exits(6);
        // What was proven may have gone; nothing else may.
        assert_same(&ended.stdout, &stored.plain, "the proven bytes");
        ended.says(&["after its end"]);
        stored.bench.run("get s3://bench/object copy --key key").exits(6);
        assert!(!stored.bench.names().contains(&"copy".to_owned()));
    }
}

#[test]
fn frames_that_were_swapped_repeated_or_left_out_end_the_pipe() {
    let stored = Stored::new(5 * FRAME);
    let frame = |number| stored.sealed[stored.frame_at(number)].to_vec();
    let without = |numbers: &[usize]| {
        let mut sealed = stored.sealed[..stored.header()].to_vec();
        for number in numbers {
            sealed.extend_from_slice(&frame(*number));
        }
        sealed
    };
    for (order, cut) in [
        (&[1, 3, 2, 4, 5][..], 2),
        (&[1, 2, 2, 3, 4, 5], 3),
        (&[1, 2, 4, 5], 3),
        (&[2, 3, 4, 5], 1),
        (&[5], 1),
        (&[1, 2, 5], 3),
    ] {
        let spoilt = without(order);
        stored.spoil(|sealed| *sealed = spoilt);
        ends_at(&stored, cut, &format!("{order:?}"));
    }
}

#[test]
fn a_frame_of_another_object_ends_the_pipe() {
    let (stored, other) = (Stored::new(3 * FRAME), Stored::new(3 * FRAME));
    assert_eq!(stored.header(), other.header());
    let at = stored.frame_at(2);
    stored.spoil(|sealed| sealed[at.clone()].copy_from_slice(&other.sealed[at.clone()]));
    ends_at(&stored, 2, "another object's frame");
}

#[test]
fn a_checksum_that_fits_the_spoilt_bytes_saves_nothing() {
    // Whoever can write the bucket can write the checksum as well.
    let stored = Stored::new(3 * FRAME);
    let place = stored.frame_at(2).start + 100;
    let mut spoilt = stored.sealed.clone();
    spoilt[place] ^= 1;
    stored.bench.write("spoilt", &spoilt);
    stored.bench.run("put spoilt s3://bench/object").ok();
    ends_at(&stored, 2, "with its checksum");
}

#[test]
fn ranges_of_a_file_are_proven_each_for_itself_and_all_together() {
    let part = PART / FRAME;
    let stored = Stored::new(4 * PART);
    let line = "get s3://bench/object copy --key key --part-size 5MiB -j 4";
    let (first, second) = (stored.frame_at(part / 2), stored.frame_at(part + part / 2));
    let (third, end) = (stored.frame_at(2 * part + 1), stored.frame_at(4 * part));
    let changes: [(&str, Change<'_>); 5] = [
        ("frames of two ranges swapped", &|sealed| {
            sealed[first.clone()].copy_from_slice(&stored.sealed[second.clone()]);
            sealed[second.clone()].copy_from_slice(&stored.sealed[first.clone()]);
        }),
        ("the first range instead of the second", &|sealed| {
            let len = stored.frame_at(part + 1).start - stored.header();
            let (one, two) = (stored.header(), stored.header() + len);
            sealed.copy_within(one..one + len, two);
        }),
        ("without the last two ranges", &|sealed| sealed.truncate(third.start)),
        ("without the last two ranges but for the final frame", &|sealed| {
            sealed.truncate(third.start);
            sealed.extend_from_slice(&stored.sealed[end.clone()]);
        }),
        ("the final frame changed", &|sealed| sealed[end.end - 1] ^= 1),
    ];
    for (what, change) in changes {
        stored.spoil(change);
        stored.bench.run(line).exits(6).writes_nothing().says(&["s3://bench/object cannot be trusted"]);
        assert!(stored.bench.names().iter().all(|name| !name.contains("copy")), "{what}");
    }
    stored.spoil(|sealed| sealed.truncate(third.start));
    stored.bench.run(line).exits(6).says(&["it is cut short: its final frame is missing"]);
    stored.spoil(|_| {});
    stored.bench.run(line).ok();
    assert_same(&stored.bench.read("copy"), &stored.plain, "unspoilt");
}

#[test]
fn the_checksum_of_a_file_is_compared_over_header_and_ranges() {
    // Of frames whose ends are those of whole mebibytes, and of others.
    for frame in [FRAME, 128 * 37] {
        let stored = Stored::with(3 * PART + 100, frame, "");
        let line = "get s3://bench/object copy --key key --part-size 5MiB --json";
        assert_eq!(stored.bench.run(line).ok().json()["checksum"]["verified"], true);
        assert_same(&stored.bench.read("copy"), &stored.plain, "file");
        std::fs::remove_file(stored.bench.path("copy")).unwrap();
        stored.bench.sandbox.s3().set_checksum_of(BUCKET, "object", b"other");
        stored.bench.run(line).exits(6).says(&["s3://bench/object cannot be trusted"]);
        assert!(stored.bench.names().iter().all(|name| !name.contains("copy")));
    }
}
