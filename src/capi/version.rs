//! `version.h`: the version of the interface.

/// Major part of the version.
pub const OTRL_VERSION_MAJOR: u32 = 4;
/// Minor part of the version.
pub const OTRL_VERSION_MINOR: u32 = 1;
/// Last part of the version.
pub const OTRL_VERSION_SUB: u32 = 1;
