//! dsa
#![forbid(unsafe_code)]
