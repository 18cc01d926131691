//! What a single message may cost to read. Beyond a limit the rest is left out of the view and a defect says so;
//! the octets themselves are kept whole elsewhere.

use crate::config;

/// Limits on what is read out of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Header fields read of one header section.
    pub fields: usize,
    /// Octets read of one header section.
    pub header_octets: usize,
    /// Characters kept of one decoded header value.
    pub value_chars: usize,
    /// Characters kept of the subject and of a display name.
    pub line_chars: usize,
    /// Addresses kept of one address field.
    pub addresses: usize,
    /// Message ids kept of `References`.
    pub references: usize,
    /// Parts read, multiparts included.
    pub parts: usize,
    /// Multiparts inside each other.
    pub depth: usize,
    /// Octets decoded of all text bodies together, before their character sets are applied.
    pub text_octets: usize,
    /// Sentences about what is wrong with the message.
    pub defects: usize,
}

impl Limits {
    /// The limits that the server works with unless its settings say otherwise.
    pub const DEFAULT: Self = Self {
        fields: 1_000,
        header_octets: 256 * 1024,
        value_chars: 8_192,
        line_chars: 998,
        addresses: 200,
        references: 100,
        parts: 1_000,
        depth: 128,
        text_octets: 4 * 1024 * 1024,
        defects: 20,
    };
}

impl From<config::Mail> for Limits {
    fn from(settings: config::Mail) -> Self {
        Self { fields: settings.header_fields, parts: settings.parts, depth: settings.depth, ..Self::DEFAULT }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What is wrong with a message, each sentence once, at most [`Limits::defects`] of them.
#[derive(Debug, Default)]
pub(super) struct Defects(Vec<String>);

impl Defects {
    /// Notes a defect.
    pub(super) fn note(&mut self, sentence: &str) {
        if self.0.len() < Limits::DEFAULT.defects && !self.0.iter().any(|known| known == sentence) {
            self.0.push(sentence.to_owned());
        }
    }

    /// The sentences, in the order in which they were noted.
    pub(super) fn into_vec(self) -> Vec<String> {
        self.0
    }
}
