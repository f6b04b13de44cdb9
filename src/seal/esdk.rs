//! The AWS Encryption SDK's message format: a header, then frames that prove themselves one by one.
//!
//! Opening goes in steps, each of which hands over what the next needs, so that none can be left out:
//! [`HeaderReader`] → [`Message`] → [`Message::permit`] (policy) → [`Locked`] (which key?) → [`Locked::unlock`]
//! (commitment, header tag, context) → [`Unlocked`] → an opener, a range, the final frame. Sealing: [`NewMessage`],
//! its recipients, [`NewMessage::seal`]. No key source and no AWS KMS here.
//!
//! There is no way to change a header, not to swap a recipient either. Its tag has a fixed nonce under the message's
//! own key, so a second header beside the first (in an old version, a backup, a replica) would give away, to anyone
//! who sees both and without any key, what proves every frame. Other recipients need a message sealed anew.

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
mod unlock;
mod write;

pub use describe::{Description, RecipientDescription};
pub use edk::{Edk, EdkKind, PASSPHRASE_NAMESPACE};
pub use header::Framing;
pub use layout::{Frames, Layout, MAX_FRAMES};
pub use marker::{Marker, looks_like_base64, looks_like_esdk};
pub use message::{KmsRequest, Locked, Message, Policy, Unlocked};
pub use range::RangeRead;
pub use reader::{HeaderReader, Reading, read};
pub use suite::Suite;
pub use write::{FRAME_LENGTH, MAX_FRAME_LENGTH, MIN_FRAME_LENGTH, NewMessage, choose_frame_length};
