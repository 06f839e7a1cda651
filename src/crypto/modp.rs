//! modp
#![forbid(unsafe_code)]
