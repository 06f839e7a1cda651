//! What happens when both sides send a D-H Commit message at the same time.
//!
//! The protocol text calls it "the trickiest transition in the whole
//! protocol": of two commits that cross, the one with the higher hash stands,
//! its sender resends it, and the other side forgets its own and answers. This
//! file decides which commit stands, and which commits of ours a D-H Key
//! message may still answer.
//!
//! # Where the commits live
//!
//! In version 2 a peer has one handshake, and a commit that arrives meets our
//! own in the same [`Ake`]. In version 3 our commit usually went out before
//! the peer's instances were known and lives in the *master*, the handshake
//! without an instance, while the peer's commit belongs to the handshake of
//! one instance, the *child*. So a child compares with the commit of its master.
//!
//! The master keeps its commit, for other instances may answer it as well. A
//! child remembers in `spent` the hash of the master's commit that has had its
//! time here: it gave way to the peer's commit, or led to a session. From then
//! on it is neither compared nor answered in this child.
//!
//! # Two sides that follow the rule
//!
//! Let ours be the higher hash. We ignore the peer's commit and send ours
//! again. The peer, whether it saw our first or second one, answers both with
//! the same D-H key; the first answer makes us reveal our key, the second
//! repeats that message, and the peer ignores what it gets twice. The peer's
//! own commit is never answered. One session results.
//!
//! # A peer that always gives way
//!
//! Widespread implementations compare in a child only. A commit that arrives
//! while their master awaits a D-H key they answer whatever its hash, and yet:
//!
//! * In version 3 their master keeps its commit and is ready for our D-H key.
//!   With the higher hash we do not send them one; they answer our commit, and
//!   everything is as above. With the lower hash both sides answer. They take
//!   our D-H key and reveal theirs, and no longer wait for us to reveal ours.
//!   So we must go on waiting for theirs: having given way we ignore their D-H
//!   key, which is what `spent` is for.
//! * In version 2 their only handshake forgets its commit. With the higher
//!   hash we again send no D-H key, and they answer our commit. With the lower
//!   hash both sides answer, both forget their commits, and both would wait for
//!   ever. But a peer that follows the rule does not answer a commit it has
//!   beaten, so the D-H key that arrives shows that the peer gave way too and
//!   waits for us. For this case the commit that gave way is kept until the
//!   handshake ends, and such a D-H key revives it.
//!
//! If commits of different versions cross, neither is compared: the peer's is
//! answered, as by everybody else.
//!
//! A commit with the very hash of ours is ours, brought back by the network
//! or by somebody who wants us to give way; it is ignored.
#![forbid(unsafe_code)]

use super::{Ake, Commitment, State};
use crate::Version;
use crate::wire::message::DhCommit;

/// What to do about a commit.
pub(super) enum Crossing<'a> {
    /// Answer it: no commit of ours competes, or ours gives way.
    Theirs,
    /// Ignore it and send this commit of ours again.
    Ours(&'a Commitment),
    /// Ignore it: it is our own.
    Reflected,
}

impl Ake {
    /// Decides between a peer's commit and ours.
    pub(super) fn crossing<'a>(
        &'a self,
        message: &DhCommit,
        master: Option<&'a Self>,
    ) -> Crossing<'a> {
        let version = message.header.version;
        let own = self.pending_commit(version);
        let masters = master.and_then(|master| master.pending_commit(version));
        let mut candidates = own.into_iter().chain(masters);
        if candidates.any(|ours| ours.hashed_gx == message.hashed_gx) {
            return Crossing::Reflected;
        }
        own.into_iter()
            .chain(masters.filter(|ours| self.may_compete(ours)))
            .filter(|ours| ours.hashed_gx > message.hashed_gx)
            .max_by_key(|ours| ours.hashed_gx)
            .map_or(Crossing::Theirs, Crossing::Ours)
    }

    /// The commit that a D-H Key message of this version answers.
    pub(super) fn answerable_commit<'a>(
        &'a self,
        version: Version,
        master: Option<&'a Self>,
    ) -> Option<&'a Commitment> {
        if let Some(own) = self.pending_commit(version) {
            return Some(own);
        }
        let masters = master.and_then(|master| master.pending_commit(version));
        if let Some(masters) = masters.filter(|ours| !self.is_spent(ours)) {
            return Some(masters);
        }
        match &self.state {
            State::AwaitingRevealSig(answered) if self.version == Some(version) => {
                answered.yielded.as_ref()
            }
            _ => None,
        }
    }

    /// Takes over the commit that awaits its answer in the master, as if it
    /// had been sent from here. Does nothing if there is none.
    pub fn adopt_commit(&mut self, master: &Self) {
        let (State::AwaitingDhKey(commitment), Some(version)) = (&master.state, master.version)
        else {
            return;
        };
        self.enter(State::AwaitingDhKey(commitment.clone()), version, true);
    }

    /// Notes that the master's commit, if it has one, is of no use here any more.
    pub(super) fn spend_commit_of(&mut self, master: Option<&Self>) {
        if let Some(hash) = master.and_then(Self::commit_hash) {
            self.spent = Some(hash);
        }
    }

    /// Removes our commit, which gives way to the peer's; returns it if it
    /// must be kept.
    pub(super) fn take_yielded(&mut self, version: Version) -> Option<Commitment> {
        match core::mem::take(&mut self.state) {
            State::AwaitingDhKey(commitment)
                if version == Version::V2 && self.version == Some(version) =>
            {
                Some(*commitment)
            }
            _ => None,
        }
    }

    /// Our commit of this version that awaits its answer.
    fn pending_commit(&self, version: Version) -> Option<&Commitment> {
        match &self.state {
            State::AwaitingDhKey(commitment) if self.version == Some(version) => Some(commitment),
            _ => None,
        }
    }

    /// Whether the master's commit still competes with the peer's commits: it
    /// was not used here, neither to the end nor for the present handshake.
    fn may_compete(&self, masters: &Commitment) -> bool {
        let in_use = match &self.state {
            State::AwaitingSig(revealed) => revealed.commitment.hashed_gx == masters.hashed_gx,
            _ => false,
        };
        !in_use && !self.is_spent(masters)
    }

    /// Whether the master has sent a newer commit than the one answered here.
    /// A peer that has received both repeats its D-H key for the newer one.
    pub(super) fn is_superseded(&self, answered: &Commitment, master: Option<&Self>) -> bool {
        self.version
            .and_then(|version| master?.pending_commit(version))
            .is_some_and(|masters| {
                masters.hashed_gx != answered.hashed_gx && !self.is_spent(masters)
            })
    }

    fn is_spent(&self, masters: &Commitment) -> bool {
        self.spent == Some(masters.hashed_gx)
    }
}
