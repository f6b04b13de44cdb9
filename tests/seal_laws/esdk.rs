//! The same laws for the AWS Encryption SDK's format, and those of its own shape: frames, headers, recipients.

use s3seal::encryption::{Context, KeyArn, KeyName};
use s3seal::seal::Trust;
use s3seal::seal::esdk::{
    self, DecryptableMessage, EdkKind, HeaderReader, Message, NewMessage, PermittedMessage, Reading,
};

use super::*;

const FRAME: usize = 4096;
const REGULAR: usize = FRAME + 32;

/// Sizes around the ends of frames, and small ones.
fn sizes() -> impl Strategy<Value = usize> {
    let around = (1..5usize, 0..5usize).prop_map(|(frames, more)| frames * FRAME + more - 2);
    prop_oneof![2 => 0..40usize, 3 => around, 1 => 0..5 * FRAME]
}

fn plain_of(len: usize) -> Vec<u8> {
    (0..len).map(|i| u8::try_from((i * 31 + i / 256 * 7) % 251).unwrap()).collect()
}

fn steps() -> impl Strategy<Value = Vec<usize>> {
    vec(prop_oneof![0..50usize, 0..3 * FRAME, Just(FRAME), Just(REGULAR)], 0..12)
}

fn context(pairs: &[(&str, &str)]) -> Context {
    Context::new(map(pairs)).unwrap()
}

/// A message for the raw AES key 7.
fn sealer(context: &Context, plain_len: Option<u64>) -> Box<dyn Seal> {
    let mut message = NewMessage::new(DataKey::random().unwrap(), context).unwrap();
    message.add(&LocalKey::Aes(&aes(7)), None).unwrap();
    message.seal(Some(u32::try_from(FRAME).unwrap()), plain_len).unwrap()
}

fn seal(plain: &[u8], cuts: &[usize]) -> Object {
    let sealer = sealer(&context(&[("purpose", "laws")]), Some(plain.len() as u64));
    let beside = sealer.attributes();
    let promised = sealer.sealed_len(plain.len() as u64);
    let body = pushed(sealer, plain, cuts);
    assert_eq!(body.len() as u64, promised);
    Object { beside, body }
}

fn read(sealed: &[u8], cuts: &[usize]) -> Result<Message, Error> {
    let mut reader = HeaderReader::new(WHAT);
    for piece in pieces(sealed, cuts) {
        match reader.push(piece)? {
            Reading::NeedMore(more) => reader = more,
            Reading::Whole(message) => return Ok(*message),
        }
    }
    Err(reader.cut_short())
}

fn permit(message: Message) -> Result<PermittedMessage, Error> {
    message.permit(Legacy::Unauthenticated, &Context::default())
}

fn unwrap_message(sealed: &[u8], ring: KeyRing) -> Result<DecryptableMessage, Error> {
    Unwrapper::new(ring).unwrap_esdk(&permit(esdk::read(WHAT, sealed)?)?)
}

fn open(sealed: &[u8], cuts: &[usize]) -> Result<Vec<u8>, Error> {
    let permitted = permit(read(sealed, cuts)?)?;
    let opener = Unwrapper::new(ring_of(7)).unwrap_esdk(&permitted)?.opener()?;
    assert_eq!(opener.trust(), Trust::EachFrame);
    opened(opener, sealed, cuts)
}

fn header_len(sealed: &[u8]) -> usize {
    usize::try_from(esdk::read(WHAT, sealed).unwrap().header_len()).unwrap()
}

/// Where the frame begins that the last of `done` plain bytes is in; at 0, the header, if there are none.
fn frame_of_last(unwrapped: &DecryptableMessage, sealed: &[u8], done: usize) -> u64 {
    let done = done as u64;
    done.checked_sub(1)
        .map_or(0, |last| unwrapped.range(last..done, sealed.len() as u64).unwrap().sealed.start)
}

/// What comes out of a message that is refused: proven frames from its beginning, and not the whole of it.
fn assert_refused_at_a_frame(sealed: &[u8], plain: &[u8], cuts: &[usize], whole_may_come: bool) {
    let unwrapped = unwrap_message(sealed, ring_of(7)).unwrap();
    let mut opener = unwrapped.opener().unwrap();
    let mut out = Output::new();
    let mut result = Ok(());
    for piece in pieces(sealed, cuts) {
        result = opener.push(piece, &mut out);
        if result.is_err() {
            let before = out.len();
            assert!(opener.push(&[0; 100], &mut out).is_err(), "goes on after it failed");
            assert_eq!(out.len(), before);
            break;
        }
    }
    let result = result.and_then(|()| opener.finish(&mut out));
    assert!(matches!(result, Err(Error::Tampered { .. })), "{result:?}");
    assert!(plain.starts_with(&out), "bytes came out that were never sealed");
    assert!(whole_may_come || out.len().is_multiple_of(FRAME));
    assert!(whole_may_come || plain.is_empty() || out.len() < plain.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_is_sealed_opens(len in sizes(), up in steps(), down in steps()) {
        let plain = plain_of(len);
        let object = seal(&plain, &up);
        prop_assert!(plain.len() < 16 || object.body.windows(16).all(|part| part != &plain[..16]));
        prop_assert_eq!(open(&object.body, &down).unwrap(), plain);
    }

    #[test]
    fn a_flipped_bit_is_refused(
        len in sizes(), at in any::<prop::sample::Index>(), bit in 0..8u8, down in steps(),
    ) {
        let plain = plain_of(len);
        let mut sealed = seal(&plain, &[]).body;
        let header = header_len(&sealed);
        let at = at.index(sealed.len());
        sealed[at] ^= 1 << bit;
        if at < header {
            prop_assert!(open(&sealed, &down).is_err());
        } else {
            assert_refused_at_a_frame(&sealed, &plain, &down, false);
        }
    }

    #[test]
    fn a_flipped_bit_of_the_header_is_refused(at in any::<prop::sample::Index>(), bit in 0..8u8, down in steps()) {
        let mut sealed = seal(b"some bytes", &[]).body;
        let at = at.index(header_len(&sealed));
        sealed[at] ^= 1 << bit;
        match open(&sealed, &down) {
            Err(Error::Tampered { .. } | Error::KeyWrong { .. } | Error::Unsupported { .. }) => {}
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn a_cut_is_refused(len in sizes(), at in any::<prop::sample::Index>(), down in steps()) {
        let plain = plain_of(len);
        let mut sealed = seal(&plain, &[]).body;
        let header = header_len(&sealed);
        sealed.truncate(at.index(sealed.len()));
        if sealed.len() < header {
            assert_tampered(open(&sealed, &down));
        } else {
            assert_refused_at_a_frame(&sealed, &plain, &down, false);
        }
    }

    #[test]
    fn more_bytes_are_refused(len in sizes(), more in vec(any::<u8>(), 1..40), down in steps()) {
        let plain = plain_of(len);
        let mut sealed = seal(&plain, &[]).body;
        sealed.extend(more);
        assert_refused_at_a_frame(&sealed, &plain, &down, true);
    }

    #[test]
    fn swapped_repeated_and_dropped_frames_are_refused(a in 0..3usize, b in 0..3usize, down in steps()) {
        let plain = plain_of(4 * FRAME);
        let sealed = seal(&plain, &[]).body;
        let header = header_len(&sealed);
        let frame = |i: usize| sealed[header + i * REGULAR..header + (i + 1) * REGULAR].to_vec();
        let rebuilt = |frames: &[usize]| {
            let mut body = sealed[..header].to_vec();
            for i in frames {
                body.extend(frame(*i));
            }
            body.extend(&sealed[header + 3 * REGULAR..]);
            body
        };
        assert_eq!(rebuilt(&[0, 1, 2]), sealed);
        let (mut swapped, mut dropped, mut repeated) = (vec![0, 1, 2], vec![0, 1, 2], vec![0, 1, 2]);
        swapped.swap(a, b);
        dropped.remove(a);
        repeated.insert(a, b);
        if a != b {
            assert_refused_at_a_frame(&rebuilt(&swapped), &plain, &down, false);
        }
        assert_refused_at_a_frame(&rebuilt(&dropped), &plain, &down, false);
        assert_refused_at_a_frame(&rebuilt(&repeated), &plain, &down, false);
    }

    #[test]
    fn replaying_what_is_on_disk_is_like_opening_it(
        len in sizes(), done in any::<prop::sample::Index>(), disk in steps(), down in steps(), next: bool,
    ) {
        let plain = plain_of(len);
        let sealed = seal(&plain, &[]).body;
        let unwrapped = unwrap_message(&sealed, ring_of(7)).unwrap();
        let mut done = done.index(plain.len() + 1);
        let mut at = frame_of_last(&unwrapped, &sealed, done);
        if next && done >= FRAME && done < plain.len() {
            // Reads on at the next frame, as a download does that had ended with one.
            done -= done % FRAME;
            at = (header_len(&sealed) + done / FRAME * REGULAR) as u64;
        }
        let mut opener = unwrapped.opener().unwrap();
        for piece in pieces(&plain[..done], &disk) {
            opener.replay(piece).unwrap();
        }
        let rest = &sealed[usize::try_from(at).unwrap()..];
        prop_assert_eq!(opened(opener, rest, &down).unwrap(), &plain[done..]);
    }

    #[test]
    fn replaying_other_bytes_of_the_frame_read_again_is_refused(
        len in sizes(), done in any::<prop::sample::Index>(), back in any::<prop::sample::Index>(), bit in 0..8u8,
    ) {
        prop_assume!(len > 0);
        let plain = plain_of(len);
        let sealed = seal(&plain, &[]).body;
        let unwrapped = unwrap_message(&sealed, ring_of(7)).unwrap();
        let done = done.index(plain.len()) + 1;
        let mut disk = plain[..done].to_vec();
        let in_frame = (done - 1) % FRAME + 1;
        disk[done - 1 - back.index(in_frame)] ^= 1 << bit;
        let at = frame_of_last(&unwrapped, &sealed, done);
        let mut opener = unwrapped.opener().unwrap();
        opener.replay(&disk).unwrap();
        assert_tampered(opened(opener, &sealed[usize::try_from(at).unwrap()..], &[]));
    }

    #[test]
    fn a_range_is_a_part_of_the_whole(
        len in sizes(), start in any::<prop::sample::Index>(), take in 1..3 * FRAME, down in steps(), at in any::<prop::sample::Index>(), bit in 0..8u8,
    ) {
        let plain = plain_of(len);
        let sealed = seal(&plain, &[]).body;
        let unwrapped = unwrap_message(&sealed, ring_of(7)).unwrap();
        let start = start.index(plain.len() + 2);
        let range = start as u64..(start + take) as u64;
        let read = match unwrapped.range(range.clone(), sealed.len() as u64) {
            Ok(read) => read,
            Err(Error::OutOfRange { len, .. }) => {
                prop_assert_eq!(len, plain.len() as u64);
                prop_assert!(range.start >= len);
                return Ok(());
            }
            Err(other) => panic!("{other}"),
        };
        let index = |at: u64| usize::try_from(at).unwrap();
        let mut part = sealed[index(read.sealed.start)..index(read.sealed.end)].to_vec();
        prop_assert_eq!(read.proves_length, read.sealed.end == sealed.len() as u64);
        let expected = &plain[start..(start + take).min(plain.len())];
        prop_assert_eq!(&opened(read.opener, &part, &down).unwrap(), expected);

        let again = || unwrapped.range(range.clone(), sealed.len() as u64).unwrap().opener;
        assert_tampered(opened(again(), &part[1..], &down));
        assert_tampered(opened(again(), &part[..part.len() - 1], &down));
        let at = at.index(part.len());
        part[at] ^= 1 << bit;
        assert_tampered(opened(again(), &part, &down));
    }

    #[test]
    fn the_final_frame_proves_the_length(len in sizes(), other in sizes(), down in steps()) {
        let plain = plain_of(len);
        let sealed = seal(&plain, &[]).body;
        let unwrapped = unwrap_message(&sealed, ring_of(7)).unwrap();
        let end = unwrapped.ranges(sealed.len() as u64).unwrap().final_frame();
        prop_assert_eq!(end.plain.end, len as u64);
        let part = &sealed[usize::try_from(end.sealed.start).unwrap()..];
        prop_assert_eq!(opened(end.opener, part, &down).unwrap(), &plain[usize::try_from(end.plain.start).unwrap()..]);

        // Cut so that the lengths are those of a shorter message.
        let shorter = header_len(&sealed) + other + 40 + (other.saturating_sub(1)) / FRAME * 32;
        if shorter < sealed.len() {
            let claimed = unwrapped.ranges(shorter as u64).unwrap().final_frame();
            let part = &sealed[usize::try_from(claimed.sealed.start).unwrap()..shorter];
            assert_tampered(opened(claimed.opener, part, &[]));
        }
    }
}

/// A header with any bytes behind what a reader looks at first.
fn almost_headers() -> impl Strategy<Value = Vec<u8>> {
    let start = prop::sample::select(vec![
        &[2, 4, 0x78][..],
        &[2, 5, 0x78],
        &[1, 0x80, 1, 0x78],
        &[1, 0x80, 0, 0x14],
    ]);
    (start, vec(prop_oneof![4 => 0..4u8, 1 => any::<u8>()], 0..400))
        .prop_map(|(start, rest)| [start, &rest[..]].concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop_oneof![almost_headers(), vec(any::<u8>(), 0..200)], down in cuts()) {
        let whole = esdk::read(WHAT, &bytes);
        let in_pieces = read(&bytes, &down);
        prop_assert_eq!(whole.is_ok(), in_pieces.is_ok());
        let Ok(message) = whole else { return Ok(()) };
        let _ = (message.describe(), message.plain_len(1000), message.layout(1000), format!("{message:?}"));
        let Ok(permitted) = permit(message) else { return Ok(()) };
        let _ = permitted.kms().count();
        let mut ring = ring_of(7);
        ring.passphrases.push(passphrase("a"));
        prop_assert!(Unwrapper::new(ring).unwrap_esdk(&permitted).is_err());
    }

    /// Bytes of a sound header changed, put in or left out: it opens to its own bytes, or not at all.
    #[test]
    fn a_changed_header_never_opens(
        at in any::<prop::sample::Index>(), drop in 0..3usize, put in vec(any::<u8>(), 0..3), down in cuts(),
    ) {
        let sealed = seal(b"the bytes", &[]).body;
        let at = at.index(header_len(&sealed) - 3);
        let changed = [&sealed[..at], &put, &sealed[at + drop..]].concat();
        if changed != sealed {
            prop_assert!(open(&changed, &down).is_err());
        }
    }
}

#[test]
fn a_source_must_give_as_much_as_was_noted() {
    for (promised, given) in [(3, 2), (3, 4), (0, 1), (1, 0)] {
        let mut sealer = sealer(&Context::default(), Some(promised));
        let mut out = Output::new();
        let ended = sealer.push(&vec![0; given], &mut out).and_then(|()| sealer.finish(&mut out));
        assert!(matches!(ended, Err(Error::SourceChanged { .. })), "{promised} noted, {given} given");
    }
}

#[test]
fn any_recipient_opens_and_nobody_else() {
    let (private, other) = (rsa("rsa_a.pem"), rsa("rsa_b.pem"));
    let mut message = NewMessage::new(DataKey::random().unwrap(), &context(&[("a", "")])).unwrap();
    message.add(&LocalKey::Passphrase(&derived("correct horse")), None).unwrap();
    message.add(&LocalKey::Rsa(private.public()), Some(&"ours/rsa".parse().unwrap())).unwrap();
    message.add(&LocalKey::Aes(&aes(1)), Some(&KeyName::new("ours", "a/b").unwrap())).unwrap();
    message.add(&LocalKey::Aes(&aes(2)), None).unwrap();
    let arn = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    message.add_kms(&KeyArn::parse(arn).unwrap(), b"a blob".to_vec()).unwrap();
    let data_key = DataKey::new(Zeroizing::new(message.data_key().as_bytes().to_vec())).unwrap();
    let seal = message.seal(None, None).unwrap();
    let marker = seal.attributes().metadata["s3seal-recipients"].clone();
    let sealed = pushed(seal, b"for many", &[]);

    let (print, rsa_print) = (aes(2).fingerprint(), private.public().fingerprint());
    assert_eq!(marker, format!("passphrase,rsa:{rsa_print},aes:{},aes:{print},kms", aes(1).fingerprint()));
    let described = esdk::read(WHAT, &sealed).unwrap().describe();
    let names: Vec<_> =
        described.recipients.iter().map(|r| (r.kind, r.provider.as_str(), r.name.as_str())).collect();
    assert_eq!(
        names[1..4],
        [
            (EdkKind::Rsa, "ours", "rsa"),
            (EdkKind::Aes, "ours", "a/b"),
            (EdkKind::Aes, "s3seal", print.as_str()),
        ]
    );
    assert_eq!(names[4], (EdkKind::Kms, "aws-kms", arn));
    assert_eq!((names[0].0, names[0].1), (EdkKind::Passphrase, "passphrase"));
    assert_eq!(described.recipients[0].passphrase.as_ref().unwrap().to_string(), names[0].2);

    let rings = [
        ring_of(1),
        ring_of(2),
        KeyRing { private: vec![other, private], ..ring_of(9) },
        KeyRing { passphrases: vec![passphrase("wrong"), passphrase("correct horse")], ..KeyRing::default() },
    ];
    for ring in rings {
        let opener = unwrap_message(&sealed, ring).unwrap().opener().unwrap();
        assert_eq!(opened(opener, &sealed, &[]).unwrap(), b"for many");
    }
    let permitted = permit(esdk::read(WHAT, &sealed).unwrap()).unwrap();
    let requests: Vec<_> = permitted
        .kms()
        .map(|request| (request.arn.to_string(), request.blob, request.context.len()))
        .collect();
    assert_eq!(requests, [(arn.to_owned(), &b"a blob"[..], 1)]);
    let opener = permitted.with_data_key(&data_key).unwrap().opener().unwrap();
    assert_eq!(opened(opener, &sealed, &[]).unwrap(), b"for many");

    assert!(matches!(unwrap_message(&sealed, ring_of(3)), Err(Error::KeyWrong { .. })));
    assert!(matches!(unwrap_message(&sealed, KeyRing::default()), Err(Error::KeyNeeded { .. })));
    assert_tampered(permitted.with_data_key(&DataKey::random().unwrap()).map(|_| vec![]));
}

#[test]
fn a_context_is_bound_and_may_be_required() {
    let sealed = pushed(sealer(&context(&[("tenant", "a"), ("project", "x")]), None), b"bytes", &[]);
    let with = |required: &Context| {
        let permitted = esdk::read(WHAT, &sealed)?.permit(Legacy::default(), required)?;
        Unwrapper::new(ring_of(7)).unwrap_esdk(&permitted).map(|_| ())
    };
    assert!(with(&context(&[])).is_ok());
    assert!(with(&context(&[("tenant", "a")])).is_ok());
    for wrong in
        [context(&[("tenant", "b")]), context(&[("owner", "a")]), context(&[("tenant", "a"), ("owner", "")])]
    {
        let error = with(&wrong).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("cannot open {WHAT}: the encryption context given is not the object's")
        );
    }
}

#[test]
fn no_two_messages_share_key_or_id() {
    let (one, two) = (seal(b"same", &[]).body, seal(b"same", &[]).body);
    assert_ne!(esdk::read(WHAT, &one).unwrap().id(), esdk::read(WHAT, &two).unwrap().id());
    let (header, other) = (header_len(&one), header_len(&two));
    assert_ne!(one[header..], two[other..]);
    // A body under another's header does not open.
    let crossed = [&one[..header], &two[other..]].concat();
    assert_refused_at_a_frame(&crossed, b"same", &[], false);
}

#[test]
fn what_cannot_be_written_is_refused() {
    let short = DataKey::new(Zeroizing::new(vec![1; 16])).unwrap();
    assert!(matches!(NewMessage::new(short, &Context::default()), Err(Error::Unsupported { .. })));
    let long = context(&[("k", &"v".repeat(70_000))]);
    assert!(matches!(NewMessage::new(DataKey::random().unwrap(), &long), Err(Error::TooLarge { .. })));
    let new = || NewMessage::new(DataKey::random().unwrap(), &Context::default()).unwrap();
    assert!(matches!(new().seal(None, None), Err(Error::Unsupported { .. })));
    let short = SymmetricKey::new(Zeroizing::new(vec![1; 16])).unwrap();
    assert!(matches!(new().add(&LocalKey::Aes(&short), None), Err(Error::Unsupported { .. })));
    let mut many = new();
    for _ in 0..s3seal::limits::MAX_ESDK_DATA_KEYS {
        many.add(&LocalKey::Aes(&aes(7)), None).unwrap();
    }
    assert!(matches!(many.add(&LocalKey::Aes(&aes(7)), None), Err(Error::Unsupported { .. })));
    let mut sealed = pushed(many.seal(None, None).unwrap(), b"x", &[]);
    assert_eq!(open(&sealed, &[]).unwrap(), b"x");
    // Before their number: version, suite, message id, and the context with its length.
    let context = u16::from_be_bytes([sealed[35], sealed[36]]);
    sealed[37 + usize::from(context) + 1] += 1;
    assert_tampered(open(&sealed, &[]));
}

#[test]
fn a_damaged_wrap_for_the_key_at_hand_is_told_from_a_wrong_key() {
    let mut sealed = seal(b"bytes", &[]).body;
    // Its end: content type, frame length, commitment and tag; before them the wrapped key.
    let at = header_len(&sealed) - (1 + 4 + 32 + 16) - 1;
    sealed[at] ^= 1;
    assert_tampered(open(&sealed, &[]));
}

#[test]
fn another_header_than_the_one_read_is_refused() {
    let sealed = seal(b"bytes", &[]).body;
    let unwrapped = unwrap_message(&sealed, ring_of(7)).unwrap();
    let mut other = sealed.clone();
    other[5] ^= 1;
    assert_tampered(opened(unwrapped.opener().unwrap(), &other, &[10]));
}

#[test]
fn an_object_of_ours_is_known_by_its_metadata() {
    let beside = seal(b"bytes", &[]).beside;
    match detect(WHAT, &beside.metadata) {
        Ok(Detected::Esdk(marker)) => {
            let print = aes(7).fingerprint();
            assert_eq!(marker.recipients()[0].fingerprint.as_deref(), Some(print.as_str()));
        }
        other => panic!("{other:?}"),
    }
    let mut both = super::seal(Alg::Committing, Storage::Metadata, b"bytes", &[]).beside.metadata;
    both.extend(beside.metadata);
    assert!(matches!(detect(WHAT, &both), Err(Error::Tampered { .. })));
}
