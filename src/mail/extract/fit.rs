//! Writes what the engine sees in the messages of the development split, for fitting (`corpus/train.py`).

use std::fmt::Write as _;
use std::path::Path;
use std::path::PathBuf;

use mail_parser::MessageParser;
use mail_parser::MimeHeaders;
use mail_parser::PartType;

use crate::mail::extract::Input;
use crate::mail::extract::codes;
use crate::mail::extract::link_weights;
use crate::mail::extract::links;
use crate::mail::extract::prepare_with;
use crate::mail::extract::weights;
use crate::mail::extract::wording::Wording;

#[test]
#[ignore = "a tool for fitting, not a test; reads the corpus and writes corpus/evidence*.jsonl"]
fn write_the_evidence_on_the_development_split() {
    let root = std::env::var_os("CORPUS").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus"), PathBuf::from);
    let labels = std::fs::read_to_string(root.join("dev/labels.jsonl")).unwrap();
    let head = |names: Vec<&str>, weights: Vec<f32>| serde_json::json!({"names": names, "weights": weights}).to_string() + "\n";
    let mut out = head(codes::names().collect(), weights::TABLE.iter().map(|(weight, ..)| *weight).collect());
    let mut links_out = head(links::names().collect(), link_weights::TABLE.iter().map(|(weight, ..)| *weight).collect());
    // As written, and as it would be seen by readers who know only some of the phrases: languages have more words for a
    // thing than any list.
    let wordings: Vec<(u32, Wording)> =
        [(0, 0), (15, 1), (35, 1)].map(|(share, seed)| (share, Wording::forgetful(share, seed + share))).into();
    for line in labels.lines() {
        let label: serde_json::Value = serde_json::from_str(line).unwrap();
        let file = label["file"].as_str().unwrap();
        let raw = std::fs::read(root.join("dev").join(file)).unwrap();
        let message = MessageParser::default().parse(&raw).unwrap();
        let (mut text, mut html) = (Vec::new(), Vec::new());
        for part in message.parts.iter().filter(|part| part.attachment_name().is_none()) {
            match &part.body {
                PartType::Text(body) => text.push(body.as_ref()),
                PartType::Html(body) => html.push(body.as_ref()),
                _ => {}
            }
        }
        let from = message.from().and_then(|from| from.first()).and_then(|from| from.address());
        let subject = message.subject().unwrap_or_default();
        let input = Input { subject, from_address: from, from_name: None, text: &text, html: &html, rules: &[] };
        for (share, wording) in &wordings {
            let (pages, tokens, mood) = prepare_with(&input, wording);
            let row = |(value, x): (String, Vec<f32>)| serde_json::json!({"value": value, "x": x});
            let rows: Vec<_> = codes::evidence(&pages, &tokens, &mood).into_iter().map(row).collect();
            let found = label["code"].as_str();
            let rows_of_links: Vec<_> = links::evidence(&pages, &mood, found, from, wording).into_iter().map(row).collect();
            let line = |answer: &serde_json::Value, rows| serde_json::json!({"file": file, "lang": label["lang"], "class": label["class"], "share": share, "answer": answer, "rows": rows});
            let _ = writeln!(out, "{}", line(&label["code"], rows));
            let _ = writeln!(links_out, "{}", line(&label["link"], rows_of_links));
        }
    }
    std::fs::write(root.join("evidence.jsonl"), out).unwrap();
    std::fs::write(root.join("evidence-links.jsonl"), links_out).unwrap();
}
