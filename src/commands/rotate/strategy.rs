//! Chooses the cheapest strategy that gives an object the desired encryption and loses nothing. Pure.
//!
//! [`strategy()`] is total: every pair of current and desired has exactly one strategy, or a refusal with a reason. No
//! requests here; what a server can do is in [`Server`].

use std::fmt;

use crate::aws::sse::{Applied, AppliedMode};
use crate::encryption::{Format, KmsKey, Mode, StoredFormat};
use crate::error::RotationRefusal;
use crate::limits::COPY_PART_BYTES;
use crate::s3_limits::{MAX_COPY_BYTES, MAX_PART_BYTES, MAX_PARTS};

/// What an object is, as far as its rotation depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Current {
    /// Its server-side encryption.
    pub(crate) applied: Applied,
    /// Client-side encryption, if there is any.
    pub(crate) client_side: Option<ClientSideState>,
    /// Stored bytes.
    pub(crate) len: u64,
    /// The archive class from which it must be restored before it can be read.
    pub(crate) archived: Option<String>,
    /// Whether Object Lock protects it.
    pub(crate) locked: bool,
    /// Whether there is a newer version.
    pub(crate) superseded: bool,
    /// Whether it is an instruction file, which belongs to another object.
    pub(crate) instruction_file: bool,
}

impl fmt::Display for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.client_side {
            Some(client_side) => write!(f, "client-side ({})", client_side.format),
            None => self.applied.mode.fmt(f),
        }
    }
}

/// Client-side encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct ClientSideState {
    pub(crate) format: StoredFormat,
    /// Whether its envelope is in an instruction file.
    pub(crate) in_instruction_file: bool,
    /// Whether the data key can be rewrapped: the bytes are authenticated.
    pub(crate) rewrappable: bool,
    /// Whether its name is bound into its encryption context.
    pub(crate) name_bound: bool,
    /// Whether the desired key decrypts it already.
    pub(crate) as_desired: bool,
}

/// The encryption that an object should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Desired {
    /// Encrypted by S3.
    Server(AtRest),
    /// Encrypted client-side.
    Client {
        /// `None` keeps the current one.
        format: Option<Format>,
        /// Server-side encryption of the ciphertext; `None` keeps the current one.
        at_rest: Option<AtRest>,
        /// Whether the envelope must be in an instruction file.
        in_instruction_file: bool,
        /// Whether only the wrapping key may change: objects that are not client-side are refused.
        only_rewrap: bool,
        /// Whether the data key must be a new one.
        new_data_key: bool,
        /// Whether names are bound into the encryption context, also of objects that have none there.
        bind_name: bool,
        /// Whether the key is in AWS KMS: then every format has an encryption context.
        kms: bool,
        /// Whether only to write an instruction file for another reader.
        share: bool,
        /// Whether objects that are not client-side are encrypted, too.
        encrypts_plaintext: bool,
    },
}

/// A server-side mode, as far as it can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AtRest {
    /// SSE-S3.
    SseS3,
    /// SSE-KMS.
    SseKms {
        /// The key's ARN, or its id where the ARN is unavailable; `None` if neither is known.
        key: Option<KmsKey>,
        /// Whether the user has named a key.
        named: bool,
        /// Whether there is an encryption context, which S3 never shows.
        context: bool,
        /// Whether a bucket key is asked for.
        bucket_key: bool,
    },
    /// DSSE-KMS.
    DsseKms {
        /// As for SSE-KMS.
        key: Option<KmsKey>,
        /// As for SSE-KMS.
        context: bool,
    },
    /// SSE-C.
    SseC {
        /// The key's MD5 in base64, as S3 shows it.
        md5: String,
    },
}

impl AtRest {
    /// Whether an object already has it. S3 does not show a context, so a requested one never counts as present.
    pub(crate) fn is_met(&self, applied: &Applied) -> bool {
        let is = |mode| applied.mode == AppliedMode::Known(mode);
        match self {
            Self::SseS3 => is(Mode::SseS3),
            Self::SseKms { key, context, bucket_key, .. } => {
                is(Mode::SseKms)
                    && !context
                    && is_key(key.as_ref(), applied)
                    && (!bucket_key || applied.bucket_key)
            }
            Self::DsseKms { key, context } => is(Mode::DsseKms) && !context && is_key(key.as_ref(), applied),
            Self::SseC { md5 } => is(Mode::SseC) && applied.customer_key_md5.as_ref() == Some(md5),
        }
    }

    /// The key for `UpdateObjectEncryption`, which supports SSE-KMS only, without a context, with the key's full ARN.
    fn updatable(&self) -> Option<&str> {
        match self {
            Self::SseKms { key: Some(key), named: true, context: false, .. } if key.arn().is_some() => {
                Some(key.as_str())
            }
            _ => None,
        }
    }
}

/// Whether an object has the desired key.
fn is_key(key: Option<&KmsKey>, applied: &Applied) -> bool {
    key.zip(applied.kms_key.as_deref()).is_some_and(|(key, found)| key.is(found))
}

/// What the server can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    /// Whether it supports `UpdateObjectEncryption`: AWS does, another server has passed the test.
    pub(crate) updates_in_place: bool,
}

/// How it will be done. In the order of the names in journals, which is the order in which plans list them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Strategy {
    /// It is as desired already.
    Nothing,
    /// The object is downloaded, decrypted, encrypted with a new data key and uploaded.
    Reencrypt,
    /// The data key is rewrapped, and the object's metadata replaced by a copy within S3.
    Rewrap,
    /// The data key is rewrapped, and the instruction file rewritten: the object is not touched.
    RewrapInstructionFile,
    /// S3 copies the object onto itself.
    ServerCopy,
    /// The data key is wrapped for another reader, into an instruction file of its own.
    Share,
    /// `UpdateObjectEncryption`: no data moves.
    UpdateInPlace,
}

impl Strategy {
    /// Its name in journals: `reseal` is the first release's word for re-encryption, which they keep.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Reencrypt => "reseal",
            Self::Rewrap => "rewrap",
            Self::RewrapInstructionFile => "rewrap-instruction-file",
            Self::ServerCopy => "server-copy",
            Self::Share => "share",
            Self::UpdateInPlace => "update-in-place",
        }
    }
}

/// Chooses the strategy.
pub(crate) fn strategy(
    current: &Current,
    desired: &Desired,
    server: Server,
) -> Result<Strategy, RotationRefusal> {
    let strategy = match (desired, &current.client_side) {
        (Desired::Server(at_rest @ AtRest::SseC { .. }), None)
            if current.instruction_file && !at_rest.is_met(&current.applied) =>
        {
            Err(RotationRefusal::InstructionFileUnderCustomerKey)
        }
        (Desired::Server(at_rest), None) => Ok(server_side(current, at_rest, server)),
        (Desired::Client { .. }, None) if current.instruction_file => Err(RotationRefusal::InstructionFile),
        (Desired::Client { only_rewrap: true, .. } | Desired::Client { share: true, .. }, None) => {
            Err(RotationRefusal::NotClientSide)
        }
        (Desired::Client { encrypts_plaintext: false, .. }, None) => Err(RotationRefusal::Plaintext),
        (Desired::Server(_), Some(_)) | (Desired::Client { .. }, None) => Ok(Strategy::Reencrypt),
        (Desired::Client { .. }, Some(client_side)) => of_client_side(current, *client_side, desired),
    };
    strategy.and_then(|strategy| possible(current, strategy))
}

fn server_side(current: &Current, desired: &AtRest, server: Server) -> Strategy {
    if desired.is_met(&current.applied) {
        return Strategy::Nothing;
    }
    let from = &current.applied.mode;
    let updatable = matches!(from, AppliedMode::Known(Mode::SseS3 | Mode::SseKms)) && !current.locked;
    if server.updates_in_place && updatable && desired.updatable().is_some() {
        return Strategy::UpdateInPlace;
    }
    Strategy::ServerCopy
}

fn of_client_side(
    current: &Current,
    client_side: ClientSideState,
    desired: &Desired,
) -> Result<Strategy, RotationRefusal> {
    let Desired::Client {
        format,
        at_rest,
        in_instruction_file,
        only_rewrap,
        new_data_key,
        bind_name,
        kms,
        share,
        ..
    } = desired
    else {
        return Ok(Strategy::Reencrypt);
    };
    let to = format.unwrap_or(match client_side.format {
        StoredFormat::Writable(format) => format,
        StoredFormat::S3ecV1 => Format::S3ec,
    });
    if (*bind_name || client_side.name_bound) && !kms && to != Format::Esdk {
        return Err(RotationRefusal::NameUnbound);
    }
    if *share {
        return if client_side.in_instruction_file {
            Ok(Strategy::Share)
        } else {
            Err(RotationRefusal::NothingToShare)
        };
    }
    let same_format = format.is_none_or(|format| client_side.format == StoredFormat::Writable(format));
    let moved_rest = at_rest.as_ref().is_some_and(|desired| !desired.is_met(&current.applied));
    let same_place = !in_instruction_file || client_side.in_instruction_file;
    let same_name = !bind_name || client_side.name_bound;
    if same_format && same_place && same_name && !moved_rest && client_side.as_desired && !new_data_key {
        return Ok(Strategy::Nothing);
    }
    let is_esdk = client_side.format == StoredFormat::Writable(Format::Esdk);
    if *only_rewrap && !is_esdk && !client_side.rewrappable && !new_data_key {
        return Err(RotationRefusal::NotAuthenticated);
    }
    // A header of the Encryption SDK is never rewritten: a second header would reuse the nonce of its tag.
    let reencryptions = *new_data_key || is_esdk || !same_format || !same_place || !client_side.rewrappable;
    if (reencryptions || moved_rest) && *in_instruction_file && client_side.in_instruction_file {
        return Err(RotationRefusal::FileInUse);
    }
    if reencryptions {
        return Ok(Strategy::Reencrypt);
    }
    match (client_side.in_instruction_file, moved_rest) {
        (false, _) => Ok(Strategy::Rewrap),
        (true, false) => Ok(Strategy::RewrapInstructionFile),
        // Two objects would have to change at once.
        (true, true) => Ok(Strategy::Reencrypt),
    }
}

/// Refuses what the object's archive, version or mode does not allow.
fn possible(current: &Current, strategy: Strategy) -> Result<Strategy, RotationRefusal> {
    let keeps_place = matches!(
        strategy,
        Strategy::Nothing | Strategy::UpdateInPlace | Strategy::RewrapInstructionFile | Strategy::Share
    );
    match (strategy, &current.archived, &current.applied.mode) {
        (Strategy::Nothing | Strategy::UpdateInPlace, ..) => Ok(strategy),
        _ if current.superseded && current.locked => Err(RotationRefusal::Locked),
        _ if current.superseded => Err(RotationRefusal::Superseded),
        (_, Some(class), _) if !keeps_place => Err(RotationRefusal::Archived(class.clone())),
        // A copy that keeps the mode must be able to name it.
        (
            Strategy::Rewrap | Strategy::RewrapInstructionFile | Strategy::Share,
            _,
            AppliedMode::Other(mode),
        ) => Err(RotationRefusal::UnknownMode(mode.clone())),
        _ => Ok(strategy),
    }
}

/// How many parts S3 is to copy an object in; 0 for one request.
pub(crate) fn copy_parts(len: u64) -> u32 {
    if len <= MAX_COPY_BYTES {
        return 0;
    }
    u32::try_from(len.div_ceil(copy_part_size(len))).unwrap_or(u32::MAX)
}

/// The size of a part that S3 copies, in bytes.
pub(crate) fn copy_part_size(len: u64) -> u64 {
    COPY_PART_BYTES.max(len.div_ceil(u64::from(MAX_PARTS))).min(MAX_PART_BYTES)
}

/// A strategy's approximate cost: requests that S3 and KMS charge for, and traffic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) objects: u64,
    /// Stored bytes of these objects.
    pub(crate) stored: u64,
    /// Bytes that this machine downloads and uploads.
    pub(crate) moved: u64,
    /// Requests to S3.
    pub(crate) requests: u64,
    /// Calls of AWS KMS, including those by S3.
    pub(crate) kms_calls: u64,
}

impl Cost {
    /// Adds another one; what a server says of its objects may be beyond all numbers.
    pub(crate) fn add(&mut self, other: Self) {
        self.objects += other.objects;
        self.stored = self.stored.saturating_add(other.stored);
        self.moved = self.moved.saturating_add(other.moved);
        self.requests = self.requests.saturating_add(other.requests);
        self.kms_calls = self.kms_calls.saturating_add(other.kms_calls);
    }
}

/// Estimates a strategy's cost; `part_size` is that of an upload. The HEADs before and after are included.
pub(crate) fn cost(current: &Current, desired: &Desired, strategy: Strategy, part_size: u64) -> Cost {
    let len = current.len;
    let kms_before = u64::from(is_kms(&current.applied.mode));
    let rest_after = match desired {
        Desired::Server(at_rest) => Some(at_rest),
        Desired::Client { at_rest, .. } => at_rest.as_ref(),
    };
    let kms_after = match rest_after {
        Some(at_rest) => u64::from(matches!(at_rest, AtRest::SseKms { .. } | AtRest::DsseKms { .. })),
        None => kms_before,
    };
    let (moved, work, kms_calls) = match strategy {
        Strategy::Nothing => (0, 0, 0),
        Strategy::UpdateInPlace => (0, 1, 2),
        Strategy::ServerCopy | Strategy::Rewrap => match u64::from(copy_parts(len)) {
            0 => (0, 1, kms_before + kms_after),
            parts => (0, parts + 2, parts * (kms_before + kms_after)),
        },
        // The instruction file is read for each of: what it is, what it binds, its key, and once it is written.
        Strategy::RewrapInstructionFile | Strategy::Share => (0, 5, kms_before + kms_after),
        Strategy::Reencrypt => {
            let ranges = len.div_ceil(part_size.max(1)).max(1);
            let up = if ranges == 1 { 1 } else { ranges + 2 };
            // The instruction file that goes is read three times, and deleted.
            let file = if current.client_side.is_some_and(|client_side| client_side.in_instruction_file) {
                4
            } else {
                0
            };
            (len.saturating_mul(2), ranges + up + file, ranges * (kms_before + kms_after))
        }
    };
    let looks = if work == 0 { 1 } else { 2 };
    Cost { objects: 1, stored: len, moved, requests: work + looks, kms_calls }
}

fn is_kms(mode: &AppliedMode) -> bool {
    matches!(mode, AppliedMode::Known(Mode::SseKms | Mode::DsseKms))
}

#[cfg(test)]
mod tests;
