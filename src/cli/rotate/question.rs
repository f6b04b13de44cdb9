//! The text of the question before a rotation: how many objects, where, from what to what, and how.
//!
//! `prompt` asks it.

use crate::byte_size::ByteSize;
use crate::cli::progress::amounts::{count, listed};
use crate::commands::encrypt::{ClientEncryptor, Encryptor, Wrapper};
use crate::commands::rotate::bulk::Plans;
use crate::commands::rotate::strategy::Strategy;
use crate::encryption::{KmsKey, ServerSide};
use crate::limits::MAX_ENCRYPTIONS_NAMED;
use crate::location::S3Uri;

/// Asks whether a plan is to be carried out; `None` if there is nothing to do.
pub(super) fn question(
    plans: &Plans,
    places: &[S3Uri],
    all_versions: bool,
    target: &Encryptor,
) -> Option<String> {
    let (mut objects, mut stored, mut strategies) = (0, 0, Vec::new());
    for (strategy, cost) in plans.to_do() {
        objects += cost.objects;
        stored = cost.stored.saturating_add(stored);
        strategies.push(strategy);
    }
    if objects == 0 {
        return None;
    }
    let what = what(objects, stored, places, all_versions);
    let only = if let [only] = strategies.as_slice() { Some(*only) } else { None };
    Some(match only {
        Some(Strategy::Rewrap | Strategy::RewrapInstructionFile) => {
            let keys = if objects == 1 { "data key" } else { "data keys" };
            format!("Rewrap the {keys} of {what} with {}?", of_rewrap(target))
        }
        Some(Strategy::Share) => format!("Share {what} with the holder of {}?", of_rewrap(target)),
        only => {
            let verb = match only {
                Some(Strategy::UpdateInPlace) => "Change the encryption of",
                Some(Strategy::ServerCopy) => "Re-encrypt",
                Some(Strategy::Reencrypt) => "Download and re-encrypt",
                _ => "Rotate",
            };
            format!("{verb} {what} from {} to {}?", from(plans), to(target))
        }
    })
}

/// The objects: how many, how large, and where.
fn what(objects: u64, stored: u64, places: &[S3Uri], all_versions: bool) -> String {
    let size = ByteSize(stored);
    if let ([place], 1, false) = (places, objects, all_versions)
        && place.is_object()
    {
        return format!("{place} ({size})");
    }
    let noun = match (objects, all_versions) {
        (1, false) => "object",
        (_, false) => "objects",
        (1, true) => "version",
        (_, true) => "versions",
    };
    let place = match places {
        [place] if place.is_object() => format!("of {place}"),
        [place] if place.key.is_empty() => format!("in {place}"),
        [place] => format!("below {place}"),
        places => format!("in {} places", count(places.len() as u64)),
    };
    format!("{} {noun} ({size}) {place}", count(objects))
}

fn from(plans: &Plans) -> String {
    if plans.current.len() > MAX_ENCRYPTIONS_NAMED {
        return "several encryptions".to_owned();
    }
    listed(&plans.current.iter().map(String::as_str).collect::<Vec<_>>())
}

fn to(target: &Encryptor) -> String {
    match target {
        Encryptor::Server(None) => ServerSide::SseS3.mode().title().to_owned(),
        Encryptor::Server(Some(sse)) => server_side(sse),
        Encryptor::Client(client) => {
            let format = client.format.map_or_else(String::new, |format| format!(" ({format})"));
            with_at_rest(format!("client-side{format} with {}", keys(client)), client)
        }
    }
}

fn with_at_rest(described: String, client: &ClientEncryptor) -> String {
    match &client.at_rest {
        Some(at_rest) => format!("{described}, in {}", server_side(at_rest)),
        None => described,
    }
}

/// The keys alone: a rewrap keeps mode and format.
fn of_rewrap(target: &Encryptor) -> String {
    match target {
        Encryptor::Client(client) => with_at_rest(keys(client), client),
        Encryptor::Server(_) => to(target),
    }
}

fn server_side(sse: &ServerSide) -> String {
    let mode = sse.mode().title();
    match sse {
        ServerSide::SseS3 => mode.to_owned(),
        ServerSide::SseKms { key, .. } | ServerSide::DsseKms { key, .. } => {
            format!("{mode} {}", key.as_ref().map_or("with the key aws/s3", KmsKey::as_str))
        }
        ServerSide::SseC(key) => format!("{mode} with key {}", key.fingerprint()),
    }
}

fn keys(client: &ClientEncryptor) -> String {
    let names: Vec<String> = client
        .wrappers
        .iter()
        .map(|wrapper| match wrapper {
            Wrapper::Aes(key) => format!("key {}", key.fingerprint()),
            Wrapper::Rsa(key) => format!("public key {}", key.fingerprint()),
            Wrapper::Kms(key) => format!("KMS key {}", key.as_str()),
            Wrapper::Passphrase(..) => "a passphrase".to_owned(),
        })
        .collect();
    listed(&names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::rotate::strategy::Cost;
    use crate::encryption::{Context, Format};
    use crate::keys::SymmetricKey;

    const GIB: u64 = 1 << 30;

    fn plans(strategies: &[(Strategy, u64, u64)], current: &[&str]) -> Plans {
        let cost = |objects, stored| Cost { objects, stored, ..Cost::default() };
        Plans {
            strategies: strategies
                .iter()
                .map(|(name, objects, stored)| (*name, cost(*objects, *stored)))
                .collect(),
            current: current.iter().map(|&text| text.to_owned()).collect(),
            ..Plans::default()
        }
    }

    fn places(places: &[&str]) -> Vec<S3Uri> {
        places.iter().map(|place| place.parse().unwrap()).collect()
    }

    fn kms() -> Encryptor {
        let key = Some("alias/x".parse().unwrap());
        Encryptor::Server(Some(ServerSide::SseKms { key, context: Context::default(), bucket_key: false }))
    }

    fn client(wrappers: Vec<Wrapper>, format: Option<Format>) -> Encryptor {
        Encryptor::Client(ClientEncryptor {
            format,
            wrappers,
            context: Context::default(),
            bind_name: false,
            at_rest: None,
            instruction_file: false,
            frame_length: None,
            key_name: None,
        })
    }

    fn asked(plans: &Plans, at: &[&str], target: &Encryptor) -> String {
        question(plans, &places(at), false, target).unwrap()
    }

    #[test]
    fn the_question_says_how_much_where_and_from_what_to_what() {
        let copies = plans(
            &[(Strategy::ServerCopy, 1204, 18 * GIB + GIB / 5), (Strategy::Nothing, 7, GIB)],
            &["SSE-C"],
        );
        assert_eq!(
            asked(&copies, &["s3://bkt/db/"], &kms()),
            "Re-encrypt 1,204 objects (18.2 GiB) below s3://bkt/db/ from SSE-C to SSE-KMS alias/x?"
        );
        assert_eq!(
            asked(
                &copies,
                &["s3://bkt/a/", "s3://bkt/b/", "s3://bkt/c"],
                &Encryptor::Server(Some(ServerSide::SseS3))
            ),
            "Re-encrypt 1,204 objects (18.2 GiB) in 3 places from SSE-C to SSE-S3?"
        );
        let updates = plans(&[(Strategy::UpdateInPlace, 2, 2048)], &["SSE-S3", "SSE-KMS"]);
        assert_eq!(
            asked(&updates, &["s3://bkt"], &kms()),
            "Change the encryption of 2 objects (2 KiB) in s3://bkt from SSE-KMS and SSE-S3 to SSE-KMS alias/x?"
        );
    }

    #[test]
    fn one_object_is_named_and_versions_are_counted_as_such() {
        let one = plans(&[(Strategy::ServerCopy, 1, 5)], &["SSE-S3"]);
        let at = places(&["s3://bkt/k"]);
        let asked = |plans: &Plans, all_versions| question(plans, &at, all_versions, &kms()).unwrap();
        assert_eq!(asked(&one, false), "Re-encrypt s3://bkt/k (5 B) from SSE-S3 to SSE-KMS alias/x?");
        let versions = plans(&[(Strategy::UpdateInPlace, 3, 15)], &["SSE-S3"]);
        assert_eq!(
            asked(&versions, true),
            "Change the encryption of 3 versions (15 B) of s3://bkt/k from SSE-S3 to SSE-KMS alias/x?"
        );
        assert_eq!(question(&plans(&[(Strategy::Nothing, 4, 9)], &[]), &at, false, &kms()), None);
    }

    #[test]
    fn the_question_says_which_key_is_new() {
        let key = SymmetricKey::random().unwrap();
        let print = key.fingerprint();
        let rewraps = plans(&[(Strategy::Rewrap, 12, 12 << 20)], &["client-side (s3ec)"]);
        let target = client(vec![Wrapper::Aes(key)], None);
        assert_eq!(
            asked(&rewraps, &["s3://bkt/p/"], &target),
            format!("Rewrap the data keys of 12 objects (12 MiB) below s3://bkt/p/ with key {print}?")
        );
        let streamed = plans(&[(Strategy::Reencrypt, 2, 10)], &["SSE-S3", "client-side (s3ec)"]);
        let target = client(vec![Wrapper::Kms("alias/x".parse().unwrap())], Some(Format::Esdk));
        assert_eq!(
            asked(&streamed, &["s3://bkt/p/"], &target),
            "Download and re-encrypt 2 objects (10 B) below s3://bkt/p/ from SSE-S3 and client-side (s3ec) to \
             client-side (esdk) with KMS key alias/x?"
        );
    }

    #[test]
    fn strategies_that_differ_are_a_rotation_from_several_encryptions() {
        let mixed =
            plans(&[(Strategy::ServerCopy, 1, 5), (Strategy::Reencrypt, 1, 5)], &["a", "b", "c", "d"]);
        assert_eq!(
            asked(&mixed, &["s3://bkt/p/"], &kms()),
            "Rotate 2 objects (10 B) below s3://bkt/p/ from several encryptions to SSE-KMS alias/x?"
        );
    }
}
