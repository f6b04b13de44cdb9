//! An envelope that a server did not store: the line that the user must keep, and what to do with it.

use super::aws_flags::AwsFlags;
use super::document::text;
use super::sanitize::shell_word;
use crate::error::LostEnvelope;

/// The envelope as one line of JSON, in which nothing acts on a terminal.
pub(crate) fn line(lost: &LostEnvelope) -> String {
    text(&lost.document())
}

/// What to do about an object that was stored and has its source still.
pub(crate) fn after_put(lost: &LostEnvelope, aws: &AwsFlags) -> Vec<String> {
    if !lost.stored {
        return vec![NOT_THIS_SERVER.to_owned()];
    }
    let keep = if lost.is_needed {
        "keep the envelope above: with it and the key the object can still be decrypted"
    } else {
        "get with the key decrypts it anyway; without a key nothing shows that it is encrypted"
    };
    let removal = format!("or remove the object: {}", aws.removal(&lost.uri, lost.version_id.as_deref()));
    if lost.is_about_file {
        return vec![keep.to_owned(), restore(lost, aws), removal, NOT_KEPT.to_owned()];
    }
    vec![keep.to_owned(), removal, NOT_THIS_SERVER.to_owned()]
}

/// What to do about an object that was rotated: it may be the only one there is.
pub(crate) fn after_rotate(lost: &LostEnvelope, aws: &AwsFlags) -> Vec<String> {
    if !lost.stored {
        return vec![
            "no object was changed after that; this server cannot be used for client-side encryption"
                .to_owned(),
        ];
    }
    if !lost.is_needed {
        return vec![
            "get with the key decrypts it anyway; without a key nothing shows that it is encrypted"
                .to_owned(),
        ];
    }
    let mut hints = vec![
        "keep the envelope above: with \"new\" and the new key the object can still be decrypted".to_owned(),
        restore(lost, aws),
    ];
    // Only where an older version is left is this not the only one.
    let removal = lost.version_id.as_deref().map(|id| aws.removal(&lost.uri, Some(id)));
    hints.extend(removal.map(|command| format!("to have the version before it again: {command}")));
    if !lost.is_about_file {
        hints.push(format!(
            "if somebody else rotated it at the same time, it has their envelope, which `s3seal inspect {}` shows",
            shell_word(&lost.uri.to_string())
        ));
    }
    hints
}

const NOT_THIS_SERVER: &str =
    "this server drops metadata, or a proxy in front of it: use one that keeps them";

const NOT_KEPT: &str =
    "this server does not keep what it says is stored, or another writer replaced the file meanwhile";

/// The command that makes the object readable again.
fn restore(lost: &LostEnvelope, aws: &AwsFlags) -> String {
    let metadata = serde_json::to_string(&lost.new.metadata).unwrap_or_default();
    match &lost.new.instruction_file {
        Some(file) if lost.is_about_file => format!(
            "to write the instruction file again: printf %s {} | aws s3 cp - {}{aws}",
            shell_word(&file.content),
            shell_word(&file.uri)
        ),
        _ => format!(
            "to restore it where metadata are kept: aws s3 cp {}{aws} FILE, then aws s3 cp FILE s3://BUCKET/KEY --metadata {}",
            shell_word(&lost.uri.to_string()),
            shell_word(&metadata)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::sanitize::harmful;
    use crate::object::PublicEnvelope;

    fn lost(value: &str) -> LostEnvelope {
        LostEnvelope {
            uri: "s3://bkt/a b".parse().unwrap(),
            version_id: None,
            change: "dropped x-amz-3".to_owned(),
            new: PublicEnvelope {
                metadata: [("x-amz-3".to_owned(), value.to_owned())].into(),
                instruction_file: None,
            },
            old: None,
            is_needed: true,
            is_about_file: false,
            stored: true,
        }
    }

    #[test]
    fn the_line_is_one_and_stays_json() {
        let line = line(&lost("a\u{202e}\u{e0001}\nb"));
        assert!(!line.contains(harmful), "{line}");
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["new"]["metadata"]["x-amz-3"], "a\u{202e}\u{e0001}\nb");
    }

    #[test]
    fn nobody_is_told_to_remove_the_only_object_there_is() {
        let aws = AwsFlags::default();
        assert!(
            after_put(&lost("v"), &aws)
                .join("\n")
                .contains("aws s3api delete-object --bucket bkt --key 'a b'")
        );
        let hints = after_rotate(&lost("v"), &aws).join("\n");
        assert!(!hints.contains("delete") && hints.contains("--metadata '{\"x-amz-3\":\"v\"}'"), "{hints}");
    }
}
