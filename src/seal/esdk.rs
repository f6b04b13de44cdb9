//! The AWS Encryption SDK's message format: a header, then frames that are authenticated one by one.
//!
//! Opening takes steps. Each returns the type that the next one needs, so that none can be left out: [`HeaderReader`] →
//! [`Message`] → [`Message::permit`] (policy) → [`PermittedMessage`] (which key?) → [`PermittedMessage::with_data_key`]
//! (commitment, header tag, context) → [`DecryptableMessage`] → an opener, a range, the final frame. Sealing:
//! [`NewMessage`], its recipients, [`NewMessage::seal`]. Key sources and AWS KMS are elsewhere.
//!
//! A header cannot be changed, not even to replace a recipient. Its tag has a fixed nonce under the message's own key:
//! two headers of one message (in an old version, a backup, a replica) would reveal, to anyone who sees both, the key
//! that authenticates every frame. Other recipients need a new message.

mod context;
mod cursor;
mod describe;
mod edk;
mod frame;
mod header;
mod layout;
pub mod marker;
mod message;
mod opener;
mod range;
mod reader;
mod sealer;
mod signature;
mod single;
mod suite;
mod unwrap;
mod write;

pub(crate) use context::RESERVED;
pub use describe::{Description, RecipientDescription};
pub use edk::{Edk, EdkKind, PASSPHRASE_NAMESPACE};
pub use header::Framing;
pub use layout::{Frames, Layout, MAX_FRAMES};
pub use marker::{Marker, looks_like_base64, looks_like_esdk};
pub use message::{DecryptableMessage, KmsRequest, Message, PermittedMessage};
pub use range::{MessageRanges, RangeRead};
pub use reader::{HeaderReader, Reading, read};
pub use suite::Suite;
pub use write::{
    FRAME_STEP, MAX_FRAME_LENGTH, MIN_FRAME_LENGTH, NewMessage, choose_frame_length, writes_frames_of,
};
