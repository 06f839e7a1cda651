//! What the command-line programs are made of: taking messages apart, making
//! new ones with keys that are known, and the programs' manners.
//!
//! `otr_parse`, `otr_sesskeys`, `otr_mackey`, `otr_readforge`, `otr_modify`
//! and `otr_remac` show that whoever knows a data message's MAC key, which its
//! receiver publishes after use, can change the message or write others, and so
//! that transcripts prove nothing. [`dissect`], [`forge`] and [`keys`] do the
//! work; [`input`] and [`transcript`] find messages in a stream, [`report`]
//! writes down what they are; [`cli`] reads arguments, and [`programs`]
//! describes the six to their users.
//!
//! Messages are read with less severity here than by a conversation, for
//! malformed ones are what such programs are asked about.
#![forbid(unsafe_code)]

pub mod cli;
pub mod completion;
pub mod dissect;
pub mod forge;
pub mod hex;
pub mod input;
mod json;
pub mod keys;
pub mod programs;
pub mod report;
pub mod transcript;
