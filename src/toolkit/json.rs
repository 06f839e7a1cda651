//! JSON objects, one a line.
#![forbid(unsafe_code)]

use core::fmt::Write;

use super::hex;

/// An object in the making.
pub(super) struct Object(String);

impl Object {
    pub(super) fn new() -> Self {
        Self(String::from("{"))
    }

    /// Adds a member whose value is JSON already.
    pub(super) fn raw(&mut self, name: &str, value: &str) -> &mut Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(&string(name));
        self.0.push(':');
        self.0.push_str(value);
        self
    }

    pub(super) fn number(&mut self, name: &str, value: impl Into<u64>) -> &mut Self {
        self.raw(name, &value.into().to_string())
    }

    pub(super) fn string(&mut self, name: &str, value: &str) -> &mut Self {
        self.raw(name, &string(value))
    }

    /// Adds bytes as a string of hexadecimal digits.
    pub(super) fn hex(&mut self, name: &str, value: &[u8]) -> &mut Self {
        self.string(name, &hex::encode(value))
    }

    /// Adds a list of values that are JSON already.
    pub(super) fn list(
        &mut self,
        name: &str,
        values: impl IntoIterator<Item = String>,
    ) -> &mut Self {
        let values: Vec<_> = values.into_iter().collect();
        self.raw(name, &format!("[{}]", values.join(",")))
    }

    pub(super) fn finish(&mut self) -> String {
        self.0.push('}');
        core::mem::take(&mut self.0)
    }
}

/// A string in quotes.
pub(super) fn string(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len().saturating_add(2));
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            // Beyond what JSON demands: nothing that a terminal would obey.
            character if character.is_control() => {
                // Writing into a string does not fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(character));
            }
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_quoted() {
        assert_eq!(
            string("a\"b\\c\n\t\u{1b}\u{9b}é"),
            r#""a\"b\\c\n\t\u001b\u009bé""#
        );
    }

    #[test]
    fn members_keep_their_order() {
        let object = Object::new()
            .string("type", "x")
            .number("n", 5_u32)
            .hex("h", &[1, 255])
            .list("l", [String::from("1"), string("2")])
            .finish();
        assert_eq!(object, r#"{"type":"x","n":5,"h":"01ff","l":[1,"2"]}"#);
        assert_eq!(Object::new().finish(), "{}");
    }
}
