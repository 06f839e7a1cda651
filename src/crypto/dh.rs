//! dh
#![forbid(unsafe_code)]
