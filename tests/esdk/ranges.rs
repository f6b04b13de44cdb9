//! Ranges are proven like the whole: their frames, and that the message ends where it seems to.

use super::stored::{FRAME, Stored};
use crate::support::{PART, assert_same};

/// What is done to stored bytes.
type Change<'a> = &'a dyn Fn(&mut Vec<u8>);

fn range(stored: &Stored, range: &str) -> crate::support::Ended {
    let line = ["get", "s3://bench/object", "-", "--key", "key", "--part-size", "5MiB", "--range", range];
    stored.bench.s3seal(line).run()
}

#[test]
fn a_range_comes_out_as_it_went_in() {
    for (len, frame) in [(PART + 12_345, FRAME), (10 * 4096, 4096), (1, 4096)] {
        let stored = Stored::with(len, frame, "");
        for (from, to) in [
            (0, 1),
            (0, len),
            (len - 1, len),
            (len / 2, len / 2 + 1),
            (frame - 1, frame + 1),
            (frame, 2 * frame),
            (frame + 1, 3 * frame - 1),
            (len.saturating_sub(frame + 1), len),
        ] {
            if from < to && to <= len {
                let ended = range(&stored, &format!("{from}-{}", to - 1)).ok();
                assert_same(&ended.stdout, &stored.plain[from..to], &format!("{len}: {from}-{to}"));
            }
        }
        let last = 3.min(len);
        assert_same(&range(&stored, &format!("-{last}")).ok().stdout, &stored.plain[len - last..], "suffix");
        assert_same(&range(&stored, "0-999999999999").ok().stdout, &stored.plain, "more than there is");
    }
}

#[test]
fn only_the_frames_around_it_are_fetched_and_the_final_one() {
    let stored = Stored::new(20 * FRAME);
    stored.bench.sandbox.clear_requests();
    range(&stored, &format!("{}-{}", 3 * FRAME + 5, 4 * FRAME + 5)).ok();
    let mut ranges: Vec<_> = stored
        .bench
        .requests("GetObject")
        .iter()
        .map(|get| get.header("range").unwrap().trim_start_matches("bytes=").to_owned())
        .collect();
    let wanted =
        |from: usize, to: usize| format!("{}-{}", stored.frame_at(from).start, stored.frame_at(to).end - 1);
    assert!(ranges.remove(0).starts_with("0-"), "the header comes first");
    ranges.sort();
    let mut expected = vec![wanted(4, 5), wanted(20, 20)];
    expected.sort();
    assert_eq!(ranges, expected);
}

#[test]
fn a_range_beyond_the_end_is_none() {
    let stored = Stored::new(FRAME + 1);
    for beyond in [format!("{}-", FRAME + 1), "999999-9999999".to_owned()] {
        range(&stored, &beyond).exits(1).writes_nothing().says(&[&format!("has {} bytes", FRAME + 1)]);
    }
    range(&Stored::new(0), "0-").exits(1).writes_nothing().says(&["has 0 bytes"]);
}

#[test]
fn a_spoilt_frame_in_the_range_is_refused_and_one_outside_is_not_met() {
    let stored = Stored::new(5 * FRAME);
    let place = stored.frame_at(3).start + 100;
    stored.spoil(|sealed| sealed[place] ^= 1);
    range(&stored, &format!("{}-{}", 2 * FRAME, 2 * FRAME + 1)).exits(6).writes_nothing();
    let ended = range(&stored, &format!("{}-{}", FRAME, 3 * FRAME)).exits(6);
    assert_same(&ended.stdout, &stored.plain[FRAME..2 * FRAME], "frames before it");
    let ended = range(&stored, &format!("{FRAME}-{}", 2 * FRAME - 1)).ok();
    assert_same(&ended.stdout, &stored.plain[FRAME..2 * FRAME], "another frame");
}

#[test]
fn a_spoilt_end_is_refused_whatever_the_range() {
    let stored = Stored::new(5 * FRAME + 7);
    let last = stored.frame_at(6);
    let middle = stored.frame_at(3);
    let cases: [(&str, Change<'_>); 6] = [
        ("its content", &|sealed| sealed[last.start + 30] ^= 1),
        ("its tag", &|sealed| *sealed.last_mut().unwrap() ^= 1),
        ("cut off", &|sealed| sealed.truncate(last.start)),
        ("a byte short", &|sealed| sealed.truncate(last.end - 1)),
        ("a byte more", &|sealed| sealed.push(0)),
        ("frames cut out before it", &|sealed| drop(sealed.drain(middle.clone()))),
    ];
    for (what, change) in cases {
        stored.spoil(change);
        for wanted in ["0-9".to_owned(), format!("{}-{}", FRAME, 2 * FRAME), "-1".to_owned()] {
            let ended = range(&stored, &wanted);
            assert_eq!(ended.code(), Some(6), "{what}, {wanted}: {}", ended.stderr);
            ended.writes_nothing();
        }
        stored.bench.run("get s3://bench/object copy --key key --range 0-9").exits(6);
        assert!(!stored.bench.names().contains(&"copy".to_owned()), "{what}: a file");
    }
}

#[test]
fn that_a_range_is_beyond_the_end_is_proven_too() {
    let stored = Stored::new(5 * FRAME + 7);
    let cut = stored.frame_at(4).start;
    stored.spoil(|sealed| sealed.truncate(cut));
    for beyond in [format!("{}-", 4 * FRAME), "999999-9999999".to_owned()] {
        range(&stored, &beyond).exits(6).writes_nothing().says(&["cut short"]);
    }
    stored.bench.run(&format!("get s3://bench/object copy --key key --range {}-", 4 * FRAME)).exits(6);
    assert!(!stored.bench.names().contains(&"copy".to_owned()));
}

#[test]
fn a_range_with_another_key_is_refused() {
    let stored = Stored::new(FRAME);
    stored.bench.run("get s3://bench/object - --key other --range 0-9").exits(5).writes_nothing();
}

#[test]
fn a_range_in_a_file_says_what_it_is() {
    let stored = Stored::new(3 * FRAME);
    stored.bench.run("get s3://bench/object copy --key key --range 10-19").ok().says(&["10 B"]);
    assert_same(&stored.bench.read("copy"), &stored.plain[10..20], "file");
}
