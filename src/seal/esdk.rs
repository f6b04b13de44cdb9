//! The AWS Encryption SDK's message format: a header, then frames that prove themselves one by one.
//!
//! Opening goes in steps, each of which hands over what the next needs, so that none can be left out:
//! [`HeaderReader`] → [`Message`] → [`Message::permit`] (policy) → [`Locked`] (which key?) → [`Locked::unlock`]
//! (commitment, header tag, context) → [`Unlocked`] → an opener, a range, the final frame. Sealing: [`NewMessage`],
//! its recipients, [`NewMessage::seal`]. Headers are never changed; [`Unlocked`] says why. No key source and no AWS
//! KMS here.

mod context;
mod cursor;
mod describe;
mod edk;
mod frame;
mod header;
pub mod kms;
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
mod unlock;
mod write;

pub use describe::{Description, RecipientDescription};
pub use edk::{Edk, EdkKind, NAMESPACE, PASSPHRASE_NAMESPACE};
pub use frame::MAX_PIECE;
pub use header::{Framing, MAX_EDKS, MAX_HEADER};
pub use layout::{Frames, Layout, MAX_FRAMES};
pub use marker::{Marker, looks_like_base64, looks_like_esdk};
pub use message::{KmsRequest, Locked, Message, Policy, Unlocked};
pub use range::RangeRead;
pub use reader::{HeaderReader, Reading, read};
pub use suite::Suite;
pub use unlock::MAX_PASSPHRASE_EDKS;
pub use write::{
    FRAME_LENGTH, MAX_FRAME_LENGTH, MIN_FRAME_LENGTH, NewMessage, choose_frame_length, default_name,
};
