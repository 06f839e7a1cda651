//! `mem.h`: memory.
