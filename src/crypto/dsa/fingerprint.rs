//! The name that people compare: a SHA-1 of the public key.
#![forbid(unsafe_code)]

use core::fmt;

/// SHA-1 of a public key's four MPIs, the form in which people compare keys.
///
/// [`fmt::Display`] gives the human form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 20]);

impl Fingerprint {
    /// The 20 raw bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// Five groups of eight upper-case hexadecimal digits, parted by blanks:
    /// 44 characters.
    #[must_use]
    pub fn to_human(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if index > 0 && index % 4 == 0 {
                f.write_str(" ")?;
            }
            write!(f, "{byte:02X}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn human_form_has_five_groups_of_eight_upper_case_digits() {
        let mut raw = [0; 20];
        for (index, byte) in raw.iter_mut().enumerate() {
            *byte = 0xe9 ^ u8::try_from(index).unwrap();
        }
        let human = Fingerprint(raw).to_human();
        assert_eq!(human, "E9E8EBEA EDECEFEE E1E0E3E2 E5E4E7E6 F9F8FBFA");
        assert_eq!(human.len(), 44);
    }
}
