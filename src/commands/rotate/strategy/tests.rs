//! The complete table of strategies: every kind of object, every desired encryption.
//!
//! One letter for each: `.` nothing, `U` update in place, `C` server copy, `W` rewrap,
//! `B` rewrap in the instruction file, `S` share, `R` re-encrypt, `x` refused.

use super::*;

const A: &str = "arn:aws:kms:us-east-1:111122223333:key/a";
const B: &str = "arn:aws:kms:us-east-1:111122223333:key/b";

fn letter(strategy: &Result<Strategy, RotationRefusal>) -> char {
    let Ok(strategy) = strategy else { return 'x' };
    match strategy {
        Strategy::Nothing => '.',
        Strategy::UpdateInPlace => 'U',
        Strategy::ServerCopy => 'C',
        Strategy::Rewrap => 'W',
        Strategy::RewrapInstructionFile => 'B',
        Strategy::Share => 'S',
        Strategy::Reencrypt => 'R',
    }
}

fn stored(mode: AppliedMode, kms_key: Option<&str>, md5: Option<&str>) -> Current {
    let applied = Applied {
        mode,
        kms_key: kms_key.map(str::to_owned),
        bucket_key: false,
        customer_key_md5: md5.map(str::to_owned),
    };
    Current {
        applied,
        client_side: None,
        len: 1000,
        archived: None,
        locked: false,
        superseded: false,
        instruction_file: false,
    }
}

fn sse_s3() -> Current {
    stored(AppliedMode::Known(Mode::SseS3), None, None)
}

fn client_side(
    format: StoredFormat,
    rewrappable: bool,
    in_instruction_file: bool,
    as_desired: bool,
) -> Current {
    Current {
        client_side: Some(ClientSideState {
            format,
            in_instruction_file,
            rewrappable,
            name_bound: false,
            as_desired,
        }),
        ..sse_s3()
    }
}

/// What is stored, by name.
fn current_states() -> Vec<(&'static str, Current)> {
    use StoredFormat::{S3ecV1, Writable};
    let known = AppliedMode::Known;
    let v2 = Writable(Format::S3ecV2);
    let v3 = Writable(Format::S3ec);
    let esdk = Writable(Format::Esdk);
    vec![
        ("none", stored(AppliedMode::NotSaid, None, None)),
        ("sse-s3", sse_s3()),
        ("kms a", stored(known(Mode::SseKms), Some(A), None)),
        ("kms b", stored(known(Mode::SseKms), Some(B), None)),
        ("dsse a", stored(known(Mode::DsseKms), Some(A), None)),
        ("dsse b", stored(known(Mode::DsseKms), Some(B), None)),
        ("sse-c 1", stored(known(Mode::SseC), None, Some("1"))),
        ("sse-c 2", stored(known(Mode::SseC), None, Some("2"))),
        ("other", stored(AppliedMode::Other("aws:fsx".to_owned()), None, None)),
        ("v1", client_side(S3ecV1, false, false, false)),
        ("v1 as desired", client_side(S3ecV1, false, false, true)),
        ("v2 cbc", client_side(v2, false, false, false)),
        ("v2", client_side(v2, true, false, false)),
        ("v2 as desired", client_side(v2, true, false, true)),
        ("v2 in file", client_side(v2, true, true, false)),
        ("v3", client_side(v3, true, false, false)),
        ("v3 as desired", client_side(v3, true, false, true)),
        ("v3 in file", client_side(v3, true, true, false)),
        ("v3 in file as desired", client_side(v3, true, true, true)),
        ("esdk", client_side(esdk, false, false, false)),
        ("esdk as desired", client_side(esdk, false, false, true)),
        (
            "v3 in other",
            Current {
                applied: Applied { mode: AppliedMode::Other("aws:fsx".to_owned()), ..Applied::default() },
                ..client_side(v3, true, false, false)
            },
        ),
    ]
}

fn kms(key: Option<&str>, named: bool, context: bool) -> AtRest {
    AtRest::SseKms { key: key.map(|key| key.parse().unwrap()), named, context, bucket_key: false }
}

fn client(format: Option<Format>) -> Desired {
    Desired::Client {
        format,
        at_rest: None,
        in_instruction_file: false,
        only_rewrap: false,
        new_data_key: false,
        bind_name: false,
        kms: false,
        share: false,
        encrypts_plaintext: true,
    }
}

/// What is wanted, in the table's order.
fn desired_states() -> Vec<Desired> {
    let with = |change: fn(&mut Desired)| {
        let mut desired = client(None);
        change(&mut desired);
        desired
    };
    vec![
        Desired::Server(AtRest::SseS3),
        Desired::Server(kms(Some(A), true, false)),
        Desired::Server(kms(Some(A), true, true)),
        Desired::Server(kms(None, false, false)),
        Desired::Server(AtRest::DsseKms { key: Some(A.parse().unwrap()), context: false }),
        Desired::Server(AtRest::SseC { md5: "1".to_owned() }),
        client(None),
        client(Some(Format::S3ec)),
        client(Some(Format::S3ecV2)),
        client(Some(Format::Esdk)),
        with(|desired| {
            if let Desired::Client { at_rest, .. } = desired {
                *at_rest = Some(AtRest::SseKms {
                    key: Some(A.parse().unwrap()),
                    named: true,
                    context: false,
                    bucket_key: false,
                });
            }
        }),
        with(|desired| {
            if let Desired::Client { in_instruction_file, .. } = desired {
                *in_instruction_file = true;
            }
        }),
        with(|desired| {
            if let Desired::Client { only_rewrap, .. } = desired {
                *only_rewrap = true;
            }
        }),
        with(|desired| {
            if let Desired::Client { new_data_key, .. } = desired {
                *new_data_key = true;
            }
        }),
        with(|desired| {
            if let Desired::Client { share, .. } = desired {
                *share = true;
            }
        }),
    ]
}

fn row(current: &Current, server: Server) -> String {
    desired_states().iter().map(|desired| letter(&strategy(current, desired, server))).collect()
}

const PLAIN: Server = Server { updates_in_place: false };
const UPDATING: Server = Server { updates_in_place: true };

#[test]
fn every_object_gets_to_every_desired_state_by_the_cheapest_strategy_or_is_refused() {
    // Desired: s3, kms, kms with context, kms unnamed, dsse, sse-c | client, s3ec, v2, esdk, at rest, in a file | rewrap,
    // new data key, share.
    let expected = [
        ("none", "CCCCCC", "RRRRRR", "xRx"),
        ("sse-s3", ".CCCCC", "RRRRRR", "xRx"),
        ("kms a", "C.CCCC", "RRRRRR", "xRx"),
        ("kms b", "CCCCCC", "RRRRRR", "xRx"),
        ("dsse a", "CCCC.C", "RRRRRR", "xRx"),
        ("dsse b", "CCCCCC", "RRRRRR", "xRx"),
        ("sse-c 1", "CCCCC.", "RRRRRR", "xRx"),
        ("sse-c 2", "CCCCCC", "RRRRRR", "xRx"),
        ("other", "CCCCCC", "RRRRRR", "xRx"),
        ("v1", "RRRRRR", "RRRRRR", "xRx"),
        ("v1 as desired", "RRRRRR", ".RRRRR", ".Rx"),
        ("v2 cbc", "RRRRRR", "RRRRRR", "xRx"),
        ("v2", "RRRRRR", "WRWRWR", "WRx"),
        ("v2 as desired", "RRRRRR", ".R.RWR", ".Rx"),
        ("v2 in file", "RRRRRR", "BRBRRB", "BRS"),
        ("v3", "RRRRRR", "WWRRWR", "WRx"),
        ("v3 as desired", "RRRRRR", "..RRWR", ".Rx"),
        ("v3 in file", "RRRRRR", "BBRRRB", "BRS"),
        ("v3 in file as desired", "RRRRRR", "..RRR.", ".RS"),
        ("esdk", "RRRRRR", "RRRRRR", "RRx"),
        ("esdk as desired", "RRRRRR", ".RR.RR", ".Rx"),
        ("v3 in other", "RRRRRR", "xxRRxR", "xRx"),
    ];
    let current_states = current_states();
    assert_eq!(current_states.len(), expected.len());
    for ((name, current), (of, server_side, of_client_side, special)) in current_states.iter().zip(expected) {
        assert_eq!(*name, of);
        assert_eq!(row(current, PLAIN), format!("{server_side}{of_client_side}{special}"), "{name}");
    }
}

#[test]
fn an_update_in_place_is_taken_where_the_server_knows_it_and_nothing_else_is_asked() {
    let updated = [("sse-s3", ".UCCCC"), ("kms b", "CUCCCC"), ("kms a", "C.CCCC")];
    for (name, current) in current_states() {
        let (plain, updating) = (row(&current, PLAIN), row(&current, UPDATING));
        match updated.iter().find(|(of, _)| *of == name) {
            Some((_, expected)) => assert_eq!(&updating[..6], *expected, "{name}"),
            None => assert_eq!(updating, plain, "{name}"),
        }
    }
    let locked = Current { locked: true, ..sse_s3() };
    assert_eq!(row(&locked, UPDATING), row(&locked, PLAIN));
    let mut alias = desired_states().remove(1);
    if let Desired::Server(AtRest::SseKms { key, .. }) = &mut alias {
        *key = Some("alias/a".parse().unwrap());
    }
    assert_eq!(letter(&strategy(&sse_s3(), &alias, UPDATING)), 'C', "the call takes full ARNs only");
}

#[test]
fn an_older_version_changes_in_place_or_not_at_all() {
    for (name, current) in current_states() {
        let old = Current { superseded: true, ..current.clone() };
        for (new, desired) in desired_states().iter().enumerate() {
            let (newest, older) =
                (letter(&strategy(&current, desired, UPDATING)), letter(&strategy(&old, desired, UPDATING)));
            let expected = if matches!(newest, '.' | 'U') { newest } else { 'x' };
            assert_eq!(older, expected, "{name}, desired {new}");
        }
    }
    let locked = Current { superseded: true, locked: true, ..sse_s3() };
    assert_eq!(strategy(&locked, &desired_states()[1], UPDATING), Err(RotationRefusal::Locked));
}

#[test]
fn an_archived_object_changes_only_where_its_bytes_are_not_needed() {
    for (name, current) in current_states() {
        let archived = Current { archived: Some("GLACIER".to_owned()), ..current.clone() };
        for (new, desired) in desired_states().iter().enumerate() {
            let before = letter(&strategy(&current, desired, UPDATING));
            let expected = if matches!(before, 'C' | 'W' | 'R') { 'x' } else { before };
            assert_eq!(letter(&strategy(&archived, desired, UPDATING)), expected, "{name}, desired {new}");
        }
    }
}

#[test]
fn an_instruction_file_is_not_sealed_and_may_change_at_rest() {
    let file = Current { instruction_file: true, ..sse_s3() };
    assert_eq!(row(&file, PLAIN), format!("{}{}{}", ".CCCCx", "xxxxxx", "xxx"));
}

#[test]
fn what_is_not_client_side_is_not_sealed_among_what_old_keys_open() {
    for (name, current) in current_states() {
        for (new, mut desired) in desired_states().into_iter().enumerate() {
            let before = strategy(&current, &desired, UPDATING);
            if let Desired::Client { encrypts_plaintext, .. } = &mut desired {
                *encrypts_plaintext = false;
            }
            let expected = match (&desired, &current.client_side) {
                (Desired::Client { .. }, None) if before == Ok(Strategy::Reencrypt) => {
                    Err(RotationRefusal::Plaintext)
                }
                _ => before,
            };
            assert_eq!(strategy(&current, &desired, UPDATING), expected, "{name}, desired {new}");
        }
    }
}

#[test]
fn a_file_that_is_in_use_is_not_replaced_together_with_its_object() {
    let v3 = client_side(StoredFormat::Writable(Format::S3ec), true, true, false);
    let Desired::Client { format, at_rest, only_rewrap, share, .. } = client(None) else { panic!() };
    for new_data_key in [false, true] {
        let desired = Desired::Client {
            format,
            at_rest: at_rest.clone(),
            in_instruction_file: true,
            only_rewrap,
            new_data_key,
            bind_name: false,
            kms: false,
            share,
            encrypts_plaintext: true,
        };
        let expected =
            if new_data_key { Err(RotationRefusal::FileInUse) } else { Ok(Strategy::RewrapInstructionFile) };
        assert_eq!(strategy(&v3, &desired, PLAIN), expected);
    }
}

#[test]
fn a_bucket_key_is_asked_for_or_left_alone() {
    let with = |bucket_key| AtRest::SseKms {
        key: Some(A.parse().unwrap()),
        named: true,
        context: false,
        bucket_key,
    };
    let plain = stored(AppliedMode::Known(Mode::SseKms), Some(A), None).applied;
    let saving = Applied { bucket_key: true, ..plain.clone() };
    assert!(with(false).is_met(&plain) && with(false).is_met(&saving));
    assert!(!with(true).is_met(&plain) && with(true).is_met(&saving));
}

#[test]
fn a_large_object_is_copied_in_parts() {
    let gib = 1_u64 << 30;
    for (len, parts) in [(0, 0), (5 * gib, 0), (5 * gib + 1, 21), (6 * gib, 24), (50_000_000_000_000, 10_000)]
    {
        assert_eq!(copy_parts(len), parts, "{len}");
        assert!(copy_part_size(len) <= MAX_PART_BYTES);
    }
}

#[test]
fn a_plan_says_what_it_takes() {
    let desired_kms = &desired_states()[1];
    let copy = cost(&sse_s3(), desired_kms, Strategy::ServerCopy, 8 << 20);
    assert_eq!(copy, Cost { objects: 1, stored: 1000, moved: 0, requests: 3, kms_calls: 1 });
    let large = Current { len: 20 << 20, ..sse_s3() };
    let reseal = cost(&large, &client(None), Strategy::Reencrypt, 8 << 20);
    assert_eq!(reseal, Cost { objects: 1, stored: 20 << 20, moved: 40 << 20, requests: 10, kms_calls: 0 });
    assert_eq!(cost(&sse_s3(), desired_kms, Strategy::Nothing, 8).requests, 1);
}

#[test]
fn a_bound_name_is_kept_or_the_way_is_refused() {
    let name_bound = |current: &Current| {
        let client_side =
            current.client_side.map(|client_side| ClientSideState { name_bound: true, ..client_side });
        Current { client_side, ..current.clone() }
    };
    for (name, current) in current_states() {
        for (new, desired) in desired_states().into_iter().enumerate() {
            let before = strategy(&current, &desired, UPDATING);
            let Desired::Client { format, .. } = &desired else {
                assert_eq!(
                    strategy(&name_bound(&current), &desired, UPDATING),
                    before,
                    "{name}, desired {new}"
                );
                continue;
            };
            let Some(client_side) = current.client_side else { continue };
            let to = format.map_or(client_side.format, StoredFormat::Writable);
            let found = strategy(&name_bound(&current), &desired, UPDATING);
            if to == StoredFormat::Writable(Format::Esdk) {
                assert_eq!(found, before, "{name}, desired {new}");
            } else {
                assert_eq!(found, Err(RotationRefusal::NameUnbound), "{name}, desired {new}");
            }
            let mut with_kms = desired.clone();
            if let Desired::Client { kms, .. } = &mut with_kms {
                *kms = true;
            }
            assert_eq!(
                strategy(&name_bound(&current), &with_kms, UPDATING),
                before,
                "{name}, desired {new}, with KMS"
            );
        }
    }
}

#[test]
fn a_name_that_is_to_be_bound_is_a_reason_to_write() {
    for format in [Format::S3ec, Format::Esdk] {
        let current = client_side(StoredFormat::Writable(format), format == Format::S3ec, false, true);
        let mut desired = client(None);
        if let Desired::Client { kms, .. } = &mut desired {
            *kms = true;
        }
        assert_eq!(strategy(&current, &desired, PLAIN), Ok(Strategy::Nothing));
        if let Desired::Client { bind_name, .. } = &mut desired {
            *bind_name = true;
        }
        let expected = if format == Format::Esdk { Strategy::Reencrypt } else { Strategy::Rewrap };
        assert_eq!(strategy(&current, &desired, PLAIN), Ok(expected));
        let name_bound =
            current.client_side.map(|client_side| ClientSideState { name_bound: true, ..client_side });
        assert_eq!(
            strategy(&Current { client_side: name_bound, ..current }, &desired, PLAIN),
            Ok(Strategy::Nothing)
        );
    }
}

#[test]
fn an_instruction_file_gets_under_no_sse_c_key_but_its_own() {
    let server = Server { updates_in_place: true };
    let to = |from: Current, md5: &str| {
        let file = Current { instruction_file: true, ..from };
        letter(&strategy(&file, &Desired::Server(AtRest::SseC { md5: md5.to_owned() }), server))
    };
    let under_one = || stored(AppliedMode::Known(Mode::SseC), None, Some("1"));
    assert_eq!([to(sse_s3(), "1"), to(under_one(), "2"), to(under_one(), "1")], ['x', 'x', '.']);
}
