//! A digest over a list of fields, each with its length in front, so that no two lists look alike.

use super::Digest;

pub struct Fields(blake3::Hasher);

impl Fields {
    /// `context` names what is digested and its version.
    pub fn new(context: &str) -> Self {
        Self(blake3::Hasher::new_derive_key(context))
    }

    pub fn bytes(&mut self, field: &[u8]) -> &mut Self {
        self.0.update(&(field.len() as u64).to_le_bytes());
        self.0.update(field);
        self
    }

    pub fn text(&mut self, field: &str) -> &mut Self {
        self.bytes(field.as_bytes())
    }

    pub fn number(&mut self, field: u64) -> &mut Self {
        self.bytes(&field.to_le_bytes())
    }

    pub fn digest(&mut self, field: Digest) -> &mut Self {
        self.bytes(&field.0)
    }

    /// A value that may be absent, told apart from every value that is there.
    pub fn optional(&mut self, field: Option<&str>) -> &mut Self {
        match field {
            Some(text) => self.number(1).text(text),
            None => self.number(0),
        }
    }

    pub fn finish(&self) -> Digest {
        Digest(*self.0.finalize().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_do_not_run_into_each_other() {
        let joined = Fields::new("test").text("ab").text("c").finish();
        let split = Fields::new("test").text("a").text("bc").finish();
        assert_ne!(joined, split);
    }

    #[test]
    fn an_absent_field_is_not_an_empty_one() {
        let absent = Fields::new("test").optional(None).finish();
        let empty = Fields::new("test").optional(Some("")).finish();
        assert_ne!(absent, empty);
    }
}
