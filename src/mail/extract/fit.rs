//! Writes the evidence on every token of the development split, for fitting the weights (`corpus/fit.py`).

use std::fmt::Write as _;
use std::path::Path;

use mail_parser::MessageParser;
use mail_parser::MimeHeaders;
use mail_parser::PartType;

use crate::mail::extract::Input;
use crate::mail::extract::codes;
use crate::mail::extract::extract;
use crate::mail::extract::link_weights;
use crate::mail::extract::links;
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
    let weights: Vec<f32> = link_weights::TABLE.iter().map(|(weight, ..)| *weight).collect();
    let mut links_out = serde_json::json!({"names": link_weights::NAMES, "weights": weights}).to_string() + "\n";
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
            for (token, verdict) in tokens.iter().zip(score::weigh(page, tokens, &mood)) {
                let evidence: Vec<f32> = verdict.evidence.map(|e| e.0.to_vec()).unwrap_or_default();
                rows.push(serde_json::json!({"value": codes::value(page, token), "x": evidence}));
            }
        }
        let from = message.from().and_then(|from| from.first()).and_then(|from| from.address());
        let found = extract(&Input { from_address: from, ..input }).code.map(|code| code.value);
        let rows_of_links: Vec<_> = links::evidence(&pages, &mood, found.as_deref(), from)
            .into_iter()
            .map(|(url, evidence)| serde_json::json!({"value": url, "x": evidence}))
            .collect();
        let _ = writeln!(links_out, "{}", serde_json::json!({"file": file, "code": label["link"], "rows": rows_of_links}));
        let _ = writeln!(out, "{}", serde_json::json!({"file": file, "code": label["code"], "rows": rows}));
    }
    std::fs::write(root.join("corpus/evidence.jsonl"), out).unwrap();
    std::fs::write(root.join("corpus/evidence-links.jsonl"), links_out).unwrap();
}
