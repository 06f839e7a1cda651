//! symmetric
#![forbid(unsafe_code)]
