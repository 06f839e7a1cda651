//! Query messages: the section "OTR Query Messages" of the protocol text.
#![forbid(unsafe_code)]

use super::message::from_mark;
use crate::{Policy, Version};

/// A set of protocol versions that a peer offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions(Policy);

impl Versions {
    /// No version at all.
    pub const NONE: Self = Self(Policy::NEVER);

    /// The set with this version added.
    #[must_use]
    pub fn with(self, version: Version) -> Self {
        Self(
            self.0
                | match version {
                    Version::V1 => Policy::ALLOW_V1,
                    Version::V2 => Policy::ALLOW_V2,
                    Version::V3 => Policy::ALLOW_V3,
                },
        )
    }

    /// The highest version that is offered and allowed.
    #[must_use]
    pub fn best(self, policy: Policy) -> Option<Version> {
        [Version::V3, Version::V2, Version::V1]
            .into_iter()
            .find(|version| self.0.allows(*version) && policy.allows(*version))
    }
}

/// The highest version that this query offers and the policy allows; `None`
/// too if the text contains no `?OTR`.
#[must_use]
pub fn best_version(text: &[u8], policy: Policy) -> Option<Version> {
    offered(text)?.best(policy)
}

/// The versions that follow the first `?OTR` of a text: `?` for version 1,
/// then `v`, the others' digits and `?`.
fn offered(text: &[u8]) -> Option<Versions> {
    let mut rest = from_mark(text)?;
    let mut versions = Versions::NONE;
    if let Some(after) = rest.strip_prefix(b"?") {
        versions = versions.with(Version::V1);
        rest = after;
    }
    if let Some(digits) = rest.strip_prefix(b"v") {
        // Compatibility: the closing question mark may be missing.
        for digit in digits.iter().take_while(|byte| **byte != b'?') {
            versions = match digit {
                b'2' => versions.with(Version::V2),
                b'3' => versions.with(Version::V3),
                _ => versions,
            };
        }
    }
    Some(versions)
}

/// The query message that offers what the policy allows, with an explanation
/// for people whose program knows no OTR.
///
/// `name` is the account's; it is inserted as it is, without escaping it for
/// HTML. A policy without any version gives a bare `?OTR`.
#[must_use]
pub fn default_query(name: &[u8], policy: Policy) -> Vec<u8> {
    let mut query = b"?OTR".to_vec();
    if policy.allows(Version::V1) {
        query.push(b'?');
    }
    if policy.allows(Version::V2) || policy.allows(Version::V3) {
        query.push(b'v');
        for (version, digit) in [(Version::V2, b'2'), (Version::V3, b'3')] {
            if policy.allows(version) {
                query.push(digit);
            }
        }
        query.push(b'?');
    }
    // Compatibility: the words are part of the interface, programs compare them.
    query.extend_from_slice(b"\n<b>");
    query.extend_from_slice(name);
    query.extend_from_slice(
        b"</b> has requested an <a href=\"https://otr.cypherpunks.ca/\">\
          Off-the-Record private conversation</a>.  \
          However, you do not have a plugin to support that.\n\
          See <a href=\"https://otr.cypherpunks.ca/\">https://otr.cypherpunks.ca/</a> \
          for more information.",
    );
    query
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_protocol_text() {
        let all = Policy::ALLOW_V1 | Policy::MANUAL;
        let cases: [(&[u8], Option<Version>, Option<Version>); 8] = [
            (b"?OTR?", Some(Version::V1), None),
            (b"?OTRv2?", Some(Version::V2), Some(Version::V2)),
            (b"?OTRv23?", Some(Version::V3), Some(Version::V3)),
            (b"?OTR?v2?", Some(Version::V2), Some(Version::V2)),
            (b"?OTRv24x?", Some(Version::V2), Some(Version::V2)),
            (b"?OTR?v24x?", Some(Version::V2), Some(Version::V2)),
            (b"?OTR?v?", Some(Version::V1), None),
            (b"?OTRv?", None, None),
        ];
        for (text, with_all, with_manual) in cases {
            let shown = text.escape_ascii();
            assert_eq!(best_version(text, all), with_all, "{shown}");
            assert_eq!(best_version(text, Policy::MANUAL), with_manual, "{shown}");
        }
    }

    /// Compatibility: a query needs no closing question mark, and only the
    /// first `?OTR` of a text counts.
    #[test]
    fn loose_queries() {
        let best = |text| best_version(text, Policy::MANUAL);
        assert_eq!(best(b"?OTRv3"), Some(Version::V3));
        assert_eq!(best(b"?OTRv x y 2 z"), Some(Version::V2));
        assert_eq!(best(b"?OTRv2?3"), Some(Version::V2));
        assert_eq!(best(b"text ?OTRv2? text"), Some(Version::V2));
        assert_eq!(best(b"?OTR ?OTRv2?"), None);
        assert_eq!(best(b"v2?"), None);
    }

    #[test]
    fn the_policy_limits_the_choice() {
        assert_eq!(
            best_version(b"?OTRv23?", Policy::ALLOW_V2),
            Some(Version::V2)
        );
        assert_eq!(best_version(b"?OTRv23?", Policy::NEVER), None);
    }

    /// The words are those of libotr 4.1.1.
    #[test]
    fn the_default_query() {
        let words = "\n<b>alice</b> has requested an <a href=\"https://otr.cypherpunks.ca/\">Off-the-Record private conversation</a>.  However, you do not have a plugin to support that.\nSee <a href=\"https://otr.cypherpunks.ca/\">https://otr.cypherpunks.ca/</a> for more information.";
        for (policy, versions) in [
            (Policy::NEVER, ""),
            (Policy::ALLOW_V1, "?"),
            (Policy::ALLOW_V2, "v2?"),
            (Policy::ALLOW_V3, "v3?"),
            (Policy::DEFAULT, "v23?"),
            (Policy::ALLOW_V1 | Policy::MANUAL, "?v23?"),
        ] {
            let expected = format!("?OTR{versions}{words}");
            assert_eq!(default_query(b"alice", policy), expected.as_bytes());
        }
    }
}
