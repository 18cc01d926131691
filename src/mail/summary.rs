//! What lists and the code finder need of a message, found in one pass at arrival.

/// What the rows of a message hold besides its octets.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Summary {
    /// Decoded, on one line; empty where there is none.
    pub subject: String,
    /// The address of the first author; empty where there is none.
    pub from_address: String,
    /// The display name of the first author; empty where there is none.
    pub from_name: String,
    /// The first 200 characters of what a reader sees.
    pub preview: String,
    /// How many attachments there are, inline images not counted.
    pub attachment_count: usize,
    /// The best verification code and its confidence.
    pub code: Option<(String, f32)>,
    /// The best verification link.
    pub link: Option<String>,
    /// All candidates with their evidence, as JSON.
    pub extraction: Option<String>,
    /// What was wrong with the message, a sentence each.
    pub defects: Vec<String>,
}

/// Parses a message and looks for codes and links. Never fails: what cannot be parsed is stored and shown raw.
pub fn summarise(_raw: &[u8]) -> Summary {
    Summary::default()
}
