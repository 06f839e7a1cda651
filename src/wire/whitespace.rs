//! The whitespace tag that hides an offer in plain text: the section "Tagged
//! plaintext messages" of the protocol text.
#![forbid(unsafe_code)]

use core::ops::Range;

use memchr::{memchr, memmem};

use super::query::Versions;
use crate::{Policy, Version};

/// What every tag begins with.
const BASE: &[u8; 16] = b" \t  \t\t\t\t \t \t \t  ";

/// The versions in the order in which a tag lists them.
const GROUPS: [(Version, &[u8; GROUP]); 3] = [
    (Version::V1, b" \t \t  \t "),
    (Version::V2, b"  \t\t  \t "),
    (Version::V3, b"  \t\t  \t\t"),
];

/// The length of what stands for one version.
const GROUP: usize = 8;

/// A tag found in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Where in the text it lies.
    pub range: Range<usize>,
    /// The versions it offers.
    pub versions: Versions,
}

/// The first tag in a text.
///
/// Any number of groups of eight blanks and tabs belongs to it, known or not.
#[must_use]
pub fn find(text: &[u8]) -> Option<Tag> {
    // Hardly any text contains a tab; only what comes after it is searched.
    let tab = memchr(b'\t', text)?;
    let from = tab.saturating_sub(1);
    let start = memmem::find(text.get(from..)?, BASE)?.checked_add(from)?;
    let mut end = start.checked_add(BASE.len())?;
    let mut versions = Versions::NONE;
    let (groups, _) = text.get(end..)?.as_chunks::<GROUP>();
    for group in groups {
        if !group.iter().all(|byte| matches!(byte, b' ' | b'\t')) {
            break;
        }
        end = end.checked_add(GROUP)?;
        if let Some((version, _)) = GROUPS.iter().find(|(_, known)| *known == group) {
            versions = versions.with(*version);
        }
    }
    Some(Tag {
        range: start..end,
        versions,
    })
}

/// The tag that offers the versions this policy allows.
#[must_use]
pub fn tag(policy: Policy) -> Vec<u8> {
    let mut tag = BASE.to_vec();
    for (version, group) in GROUPS {
        if policy.allows(version) {
            tag.extend_from_slice(group);
        }
    }
    tag
}

/// The text without the part in `range`, as [`find`] gives it.
#[must_use]
pub fn strip(text: &[u8], range: &Range<usize>) -> Vec<u8> {
    let before = text.get(..range.start).unwrap_or(text);
    let after = text.get(range.end..).unwrap_or_default();
    [before, after].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_those_of_the_protocol() {
        assert_eq!(
            BASE,
            b"\x20\x09\x20\x20\x09\x09\x09\x09\x20\x09\x20\x09\x20\x09\x20\x20"
        );
        let tag = tag(Policy::ALLOW_V1 | Policy::MANUAL);
        assert_eq!(&tag[16..24], b"\x20\x09\x20\x09\x20\x20\x09\x20");
        assert_eq!(&tag[24..32], b"\x20\x20\x09\x09\x20\x20\x09\x20");
        assert_eq!(&tag[32..], b"\x20\x20\x09\x09\x20\x20\x09\x09");
    }

    #[test]
    fn a_tag_is_found_and_removed_where_it_stands() {
        let text = [b"before", &tag(Policy::MANUAL)[..], b"after"].concat();
        let found = find(&text).unwrap();
        assert_eq!(found.range, 6..6 + 32);
        assert_eq!(found.versions.best(Policy::MANUAL), Some(Version::V3));
        assert_eq!(found.versions.best(Policy::ALLOW_V2), Some(Version::V2));
        assert_eq!(found.versions.best(Policy::ALLOW_V1), None);
        assert_eq!(strip(&text, &found.range), b"beforeafter");
    }

    /// Compatibility: unknown groups are part of the tag, a broken one is not.
    #[test]
    fn groups_of_blanks_belong_to_the_tag() {
        let unknown = [&BASE[..], b"        ", b"  \t\t  \t ", b"       x"].concat();
        let found = find(&unknown).unwrap();
        assert_eq!(found.range, 0..32);
        assert_eq!(found.versions.best(Policy::MANUAL), Some(Version::V2));
        let bare = find(BASE).unwrap();
        assert_eq!(bare.range, 0..16);
        assert_eq!(bare.versions.best(Policy::MANUAL), None);
        assert_eq!(find(&BASE[1..]), None);
    }
}
