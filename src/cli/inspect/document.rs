//! Outcomes as JSON documents: the same structure for a single object and for a row of many.

use crate::aws::bucket::BucketFacts;
use crate::aws::bucket_policy::{PolicyFacts, TlsDemand};
use crate::aws::inventory::Manifest;
use crate::aws::probe;
use crate::aws::tls_session::TlsSession;
use crate::aws::transport::Transport;
use crate::cli::document::bucket::{
    AbortRule, BucketDocument, DefaultEncryption, InventoryDocument, Policy, Requirement,
};
use crate::cli::document::inspection::{
    self, Amount, Client, ClientState, CustomerKeyMatch, DataSum, Envelope, Group, InspectedObject,
    InspectionSummary, KmsKey, KmsKeyMetadata, Legacy, NamedObject, ObjectLock, Probe, ReadData, Recipient,
    Tls,
};
use crate::cli::document::transfer::FailedObject;
use crate::cli::document::{
    Checksum, Command, Document, Encryption, Error, Object, Record, Summaries, Summary as Sum,
};
use crate::cli::outcome::proof;
use crate::commands::bulk::Row;
use crate::commands::get::verify::Verified;
use crate::commands::inspect::outcome::{
    ClientSeen, CustomerKeyFit, EnvelopeFacts, InspectOutcome, Opens, RecipientFacts,
};
use crate::commands::inspect::summary::{self, Offenders, Summary, mode_word};
use crate::commands::inspect::{InspectRow, KmsKeySeen, ObjectReport};
use crate::encryption::BoundName;
use crate::error::WrapKind;
use crate::location::S3Uri;

use super::verification::{not_compared, verified_by};

/// The document of one object.
pub(crate) fn object(report: &ObjectReport) -> Document {
    inspected(InspectedObject {
        kms: report.kms_key.as_ref().map(kms_key),
        transport: report.transport.as_ref().map(transport),
        ..inspected_object(&report.outcome)
    })
}

/// The document of one of many.
pub(crate) fn row(row: &InspectRow) -> Option<Document> {
    Some(match row {
        Row::Done(outcome) => inspected(inspected_object(outcome)),
        Row::Skipped { .. } | Row::Unselected => return None,
        Row::Failed { name, version_id, error } => {
            let failed = FailedObject {
                uri: Some(name.clone()),
                version_id: version_id.clone(),
                error: Error::of(error),
                ..FailedObject::default()
            };
            Document::new(Command::Inspect, Record::Failed(failed))
        }
    })
}

fn inspected(object: InspectedObject) -> Document {
    Document::new(Command::Inspect, Record::Inspected(Box::new(object)))
}

/// The document of a bucket's own bucket.
pub(crate) fn bucket(bucket: &BucketFacts) -> Document {
    let document = BucketDocument {
        bucket: bucket.bucket.as_str().to_owned(),
        region: probe(&bucket.region, Clone::clone),
        default_encryption: probe(&bucket.default, |default| {
            default.as_ref().map(|default| DefaultEncryption {
                mode: mode_word(&default.mode).to_owned(),
                kms_key: default.kms_key.clone(),
                bucket_key: default.bucket_key,
                blocked: default.blocked.clone(),
            })
        }),
        policy: probe(&bucket.policy, |found| found.as_ref().map(policy)),
        versioning: probe(&bucket.versioning, Clone::clone),
        incomplete_uploads: probe(&bucket.incomplete_uploads, |rule| {
            rule.as_ref().map(|rule| AbortRule { days: rule.days, whole_bucket: rule.whole })
        }),
    };
    Document::new(Command::Inspect, Record::Bucket(document))
}

/// The document of a report of S3 Inventory.
pub(crate) fn inventory(manifest: &Manifest) -> Document {
    let document = InventoryDocument {
        bucket: manifest.source.as_str().to_owned(),
        created: manifest.created.clone(),
        format: manifest.format.as_str().to_owned(),
        files: manifest.files.len(),
        not_covered: ["keys", "client_side"].map(str::to_owned).to_vec(),
    };
    Document::new(Command::Inspect, Record::Inventory(document))
}

/// The document of the sum.
pub(crate) fn summary(summary: &Summary, expected: &[String], complete: bool) -> Document {
    let summary = Sum::Inspection(sum(summary, expected, complete));
    Document::new(Command::Inspect, Record::Summary(Summaries { summary }))
}

/// The sum.
pub(crate) fn sum(summary: &Summary, expected: &[String], complete: bool) -> InspectionSummary {
    let groups = summary.largest_first().into_iter().map(|(name, counted)| Group {
        mode: name.mode.clone(),
        encryption_key: name.key.clone(),
        amount: amount(counted),
    });
    InspectionSummary {
        complete,
        objects: summary.all.objects,
        stored_bytes: summary.all.bytes,
        groups: groups.collect(),
        ungrouped: amount(summary.others),
        claimed_client: summary.claimed,
        delete_markers: summary.delete_markers,
        expected: expected.to_vec(),
        unexpected: summary.unexpected.as_ref().map(|list| list.count),
        unexpected_objects: summary.unexpected.as_ref().map(named).unwrap_or_default(),
        data: summary.data.as_ref().map(|sum| DataSum {
            objects: sum.objects,
            bytes: sum.bytes,
            not_verifiable: sum.not_verifiable,
            of_objects: sum.of,
            sample: sum.sample.clone(),
        }),
        failed: summary.failed.count,
        failed_objects: named(&summary.failed),
    }
}

fn amount(counted: summary::Amount) -> Amount {
    Amount { objects: counted.objects, stored_bytes: counted.bytes }
}

fn named(list: &Offenders) -> Vec<NamedObject> {
    list.first.iter().map(NamedObject::from).collect()
}

fn inspected_object(outcome: &InspectOutcome) -> InspectedObject {
    let object =
        Object::of(&outcome.uri, outcome.version_id.as_ref(), outcome.etag.as_ref(), encryption(outcome));
    InspectedObject {
        object: Object { bytes: outcome.plain_len(), stored_bytes: outcome.stored_len, ..object },
        is_latest: outcome.latest,
        client: client(&outcome.client, &outcome.uri),
        customer_key: outcome.at_rest.customer_key.as_ref().map(customer_key),
        last_modified: outcome.last_modified.clone(),
        storage_class: outcome.storage_class.clone().unwrap_or_else(|| "STANDARD".to_owned()),
        content_type: outcome.content_type.clone(),
        checksum: checksum(outcome),
        object_lock: ObjectLock::of(&outcome.lock),
        tag_count: outcome.tag_count,
        marked_instruction_file: outcome.marked_instruction_file,
        archive_status: outcome.archive_status.clone(),
        replication_status: outcome.replication_status.clone(),
        as_expected: outcome.as_expected,
        data: outcome.data.as_ref().map(read_data),
        kms: None,
        transport: None,
    }
}

/// The encryption by what S3 and the object's envelope say; only a fingerprint is that of a key at hand.
fn encryption(outcome: &InspectOutcome) -> Encryption {
    let envelope = outcome.envelope();
    let opened_with = envelope.and_then(|envelope| match &envelope.opens {
        Opens::With(key) => key.fingerprint.as_ref().map(ToString::to_string),
        Opens::NotTried | Opens::WithNone => None,
    });
    let matching = match &outcome.at_rest.customer_key {
        Some(CustomerKeyFit::Fits { fingerprint }) => Some(fingerprint.clone()),
        _ => None,
    };
    let named = envelope.map(|envelope| envelope.recipients.as_slice()).unwrap_or_default().iter();
    let wrapping = named.filter(|recipient| recipient.kind == Some(WrapKind::Kms));
    Encryption {
        mode: mode_word(&outcome.mode()).to_owned(),
        key_fingerprint: opened_with.or(matching),
        wrapping_kms_keys: wrapping.filter_map(|recipient| recipient.key.clone()).collect(),
        ..Encryption::of(&outcome.at_rest.applied, envelope.map(|envelope| envelope.format), None, &[])
    }
}

fn read_data(data: &Verified) -> ReadData {
    ReadData {
        bytes: data.plain_len,
        verified_by: verified_by(data).into_iter().map(str::to_owned).collect(),
        reason: not_compared(data),
        proof: proof(data.opened.as_ref()),
    }
}

fn customer_key(fit: &CustomerKeyFit) -> CustomerKeyMatch {
    match fit {
        CustomerKeyFit::Fits { fingerprint } => {
            CustomerKeyMatch::Matches { key_fingerprint: fingerprint.clone() }
        }
        CustomerKeyFit::NotGiven => CustomerKeyMatch::NotGiven,
        CustomerKeyFit::NoneFits { tried } => CustomerKeyMatch::NoMatch { tried: *tried },
        CustomerKeyFit::NotSaid => CustomerKeyMatch::Unknown,
    }
}

fn client(client: &ClientSeen, uri: &S3Uri) -> Option<Client> {
    let (reason, envelope) = match client {
        ClientSeen::Envelope(found) => (None, Some(envelope(found, uri))),
        ClientSeen::Broken(why) => (Some(why.clone()), None),
        _ => (None, None),
    };
    Some(Client { state: client_state(client)?, reason, envelope })
}

/// What is known of client-side encryption: `claimed` until a key at hand has opened it.
pub(super) fn client_state(client: &ClientSeen) -> Option<ClientState> {
    match client {
        ClientSeen::NoSign => None,
        ClientSeen::Envelope(envelope) if matches!(envelope.opens, Opens::With(_)) => {
            Some(ClientState::Opened)
        }
        ClientSeen::Envelope(_) => Some(ClientState::Claimed),
        ClientSeen::InstructionFileNotRead => Some(ClientState::InInstructionFile),
        ClientSeen::InstructionFile => Some(ClientState::InstructionFile),
        ClientSeen::Broken(_) => Some(ClientState::Broken),
        ClientSeen::Unknown => Some(ClientState::Unknown),
    }
}

fn envelope(envelope: &EnvelopeFacts, uri: &S3Uri) -> Envelope {
    let content = envelope.content.as_ref();
    let (key_given_opens, opened_by) = match &envelope.opens {
        Opens::NotTried => (None, None),
        Opens::WithNone => (Some(false), None),
        Opens::With(key) => (Some(true), Some(key.into())),
    };
    Envelope {
        title: envelope.title.to_owned(),
        suite: content.map(|content| content.suite.clone()),
        key_committing: content.map(|content| content.committing),
        authenticated_encryption: content.map(|content| content.authenticated),
        signed: content.map(|content| content.signed),
        frame_bytes: content.and_then(|content| content.frame_length),
        recipients: envelope.recipients.iter().map(recipient).collect(),
        encryption_context: envelope.context.clone(),
        bound_name: BoundName::of(&envelope.context)
            .map(|name| inspection::BoundName { uri: name.to_string(), is_this: name.is(uri) }),
        material_description: envelope.description.clone(),
        envelope_in: envelope.place.as_str().to_owned(),
        claimed_bytes: envelope.claimed_len,
        legacy: envelope
            .legacy
            .as_ref()
            .map(|(legacy, why)| Legacy { allow: legacy.as_str().map(str::to_owned), reason: why.clone() }),
        key_given_opens,
        opened_by,
    }
}

fn recipient(recipient: &RecipientFacts) -> Recipient {
    Recipient {
        kind: recipient.kind.into(),
        wrap: recipient.wrap.clone(),
        key_name: recipient.key.clone(),
        key_fingerprint: recipient.fingerprint.clone(),
        passphrase: recipient.passphrase.clone(),
    }
}

fn checksum(outcome: &InspectOutcome) -> Probe<Option<Checksum>> {
    let other = outcome.other_checksum.as_ref().map(|(algorithm, value)| Checksum {
        algorithm: Some((*algorithm).to_owned()),
        value: Some(value.clone()),
        ..Checksum::default()
    });
    probe(&outcome.checksum, |known| {
        let known = known.as_ref().map(|sum| Checksum {
            algorithm: Some(sum.algorithm.as_str().to_owned()),
            value: Some(sum.value.clone()),
            kind: Some(if sum.composite { "COMPOSITE" } else { "FULL_OBJECT" }.to_owned()),
            ..Checksum::default()
        });
        known.or(other)
    })
}

fn kms_key(key: &KmsKeySeen) -> KmsKey {
    KmsKey {
        kms_key: key.key.clone(),
        metadata: probe(&key.metadata, |metadata| KmsKeyMetadata {
            arn: metadata.arn.to_string(),
            state: metadata.state.clone(),
            manager: metadata.manager.clone(),
            deletion_date: metadata.deletion.clone(),
        }),
        aliases: probe(&key.aliases, Clone::clone),
    }
}

fn transport(transport: &Transport) -> inspection::Transport {
    inspection::Transport {
        scheme: transport.scheme.clone(),
        host: transport.host.clone(),
        tls: transport.tls.as_ref().map(|session| probe(session, tls)),
    }
}

fn tls(tls: &TlsSession) -> Tls {
    Tls {
        version: tls.version.clone(),
        cipher_suite: tls.cipher.clone(),
        key_exchange: tls.key_exchange.clone(),
        certificate_issuer: tls.issuer.clone(),
    }
}

fn policy(policy: &PolicyFacts) -> Policy {
    Policy {
        requires_tls: match policy.tls {
            TlsDemand::NotSeen => Requirement::None,
            TlsDemand::ForSome => Requirement::Some,
            TlsDemand::ForAll => Requirement::All,
        },
        minimum_tls_version: policy.tls_version.clone(),
        required_encryption: policy.modes.clone(),
        required_kms_keys: policy.keys.clone(),
        requires_encryption_header: policy.header,
        denies_sse_c: policy.denies_sse_c,
    }
}

fn probe<T, U>(seen: &probe::Probe<T>, known: impl FnOnce(&T) -> U) -> Probe<U> {
    match seen {
        probe::Probe::Known(found) => Probe::Known(known(found)),
        probe::Probe::AccessDenied(action) => Probe::AccessDenied { access_denied: (*action).to_owned() },
        probe::Probe::Unavailable(why) => Probe::Unavailable { unavailable: why.clone() },
    }
}
