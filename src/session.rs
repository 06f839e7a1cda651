//! One peer's conversation: what a received text does and what a sent text becomes.
//!
//! This module joins the parts of the protocol (key exchange, data messages,
//! SMP, fragments, whitespace tags) as the sections "Receiving messages" and
//! "User requests" of the protocol text describe. It is a pure function of
//! bytes and state: a step takes an [`Instance`] or a [`Group`] of them and
//! returns what is to be done about it as a list of [`Effect`]s, in the order
//! in which the application has to hear of them. Nothing here calls the
//! application.
//!
//! A peer who is logged in several times has several *instances*, told apart
//! by the instance tags of version 3. The *master* stands for the peer as a
//! whole: it holds version 1 and 2 sessions, key exchanges whose answering
//! instance is not known yet, and plaintext.
#![forbid(unsafe_code)]

mod data;
mod event;
mod handshake;
mod instance;
mod receive;
mod send;
mod smp;

pub use event::{Effect, ErrorCode, MessageEvent, Part, Received, SmpEvent, Verdict};
pub use handshake::expire;
pub use instance::{Best, Instance, Kept, MessageState, Offer, Resend, best};
pub use receive::{
    Incoming, Routed, Routing, expects_encryption, handle, needs_private_key, route,
};
pub use send::Prepared;

use crate::InstanceTag;
use crate::ake::Ake;

/// Seconds of silence after which a received message is answered by a heartbeat.
pub const HEARTBEAT_INTERVAL: i64 = 60;
/// Seconds for which a D-H Commit to all instances of a peer stays open.
pub const COMMIT_LIFETIME: i64 = 60;
/// Seconds between two calls of the timer that ends open commits.
pub const POLL_INTERVAL: u32 = 70;

/// Which of a peer's instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Which {
    /// The peer as a whole.
    Master,
    /// The instance with this tag.
    Child(InstanceTag),
}

/// The instances of one peer, as a step of the protocol sees them.
///
/// The C interface lends the contexts of an application's list through this
/// trait; [`crate::Conversation`] keeps a plain map.
pub trait Group {
    /// Whether the peer has shown this instance before.
    fn knows(&mut self, tag: InstanceTag) -> bool;

    /// The instance that `which` names, made anew if it is not known.
    fn instance(&mut self, which: Which) -> &mut Instance;

    /// Our own instance tag, which the master has.
    fn our_tag(&mut self) -> InstanceTag {
        self.instance(Which::Master).ours
    }

    /// A text that is no piece of a message has come: a message of which only
    /// some pieces have arrived there is dropped.
    fn drop_pieces(&mut self, which: Which) {
        self.instance(which).fragments.clear();
    }

    /// [`Instance::note_answer`] of this instance.
    fn note_answer(&mut self, which: Which, speaks_otr: bool) {
        self.instance(which).note_answer(speaks_otr);
    }

    /// The instance that `which` names, and the key exchange of the master unless that is the
    /// instance itself.
    fn instance_and_master(&mut self, which: Which) -> (&mut Instance, Option<&Ake>);
}
