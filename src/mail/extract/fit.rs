//! Writes the evidence on every token of the development split, for fitting the weights (`corpus/fit.py`).

use std::fmt::Write as _;
use std::path::Path;

use mail_parser::MessageParser;
use mail_parser::MimeHeaders;
use mail_parser::PartType;

use crate::mail::extract::Input;
use crate::mail::extract::codes;
use crate::mail::extract::prepare;
use crate::mail::extract::score;
use crate::mail::extract::weights::NAMES;
use crate::mail::extract::weights::TABLE;

#[test]
#[ignore = "a tool for fitting, not a test; reads the corpus and writes target/evidence.jsonl"]
fn write_the_evidence_on_the_development_split() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let labels = std::fs::read_to_string(root.join("corpus/dev/labels.jsonl")).unwrap();
    let weights: Vec<f32> = TABLE.iter().map(|(weight, ..)| *weight).collect();
    let mut out = serde_json::json!({"names": NAMES, "weights": weights}).to_string() + "\n";
    for line in labels.lines() {
        let label: serde_json::Value = serde_json::from_str(line).unwrap();
        let file = label["file"].as_str().unwrap();
        let raw = std::fs::read(root.join("corpus/dev").join(file)).unwrap();
        let message = MessageParser::default().parse(&raw).unwrap();
        let (mut text, mut html) = (Vec::new(), Vec::new());
        for part in message.parts.iter().filter(|part| part.attachment_name().is_none()) {
            match &part.body {
                PartType::Text(body) => text.push(body.as_ref()),
                PartType::Html(body) => html.push(body.as_ref()),
                _ => {}
            }
        }
        let subject = message.subject().unwrap_or_default();
        let input = Input { subject, from_address: None, from_name: None, text: &text, html: &html, rules: &[] };
        let (pages, tokens, mood) = prepare(&input);
        let mut rows = Vec::new();
        for (page, tokens) in pages.iter().zip(&tokens) {
            for token in tokens {
                let verdict = score::weigh(page, token, tokens, &mood);
                let evidence: Vec<f32> = verdict.evidence.map(|e| e.0.to_vec()).unwrap_or_default();
                rows.push(serde_json::json!({"value": codes::value(page, token), "x": evidence}));
            }
        }
        let _ = writeln!(out, "{}", serde_json::json!({"file": file, "code": label["code"], "rows": rows}));
    }
    std::fs::write(root.join("corpus/evidence.jsonl"), out).unwrap();
}
