//! Powers of the generator 2, computed by the build script.
//!
//! `SHORT` and `LONG` are the combs for exponents of up to 320 and 1536 bits;
//! [`super::power::generator`] explains how they are read.
#![forbid(unsafe_code)]
#![allow(
    dead_code,
    reason = "which constants are used depends on the architecture"
)]

use super::group::Limbs;

include!(concat!(env!("OUT_DIR"), "/generator.rs"));
