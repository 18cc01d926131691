//! The score of the extraction engine on the corpus of labelled messages; fails below `corpus/floor.toml`.
//!
//! `dev` is for development; `test`, `held_out` and `held_out_2` are for the score, each written after the engine that the
//! one before it had scored.
//! `EXTRACTION_MISSES=1` prints each miss of the development split; those of the test split are never shown.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use mail_parser::MessageParser;
use mail_parser::MimeHeaders;
use mail_parser::PartType;
use pillarbox::mail::extract::Extraction;
use pillarbox::mail::extract::Input;
use pillarbox::mail::extract::extract;
use serde::Deserialize;

/// One line of `labels.jsonl`.
#[derive(Debug, Deserialize)]
struct Label {
    file: String,
    lang: String,
    class: String,
    code: Option<String>,
    link: Option<String>,
    forms: Vec<String>,
    difficulty: String,
}

/// The lowest scores that pass, in percent.
#[derive(Debug, Deserialize)]
struct Floor {
    code_precision: f64,
    code_recall: f64,
    link_precision: f64,
    link_recall: f64,
    false_on_negatives: f64,
}

/// What was right and wrong in a set of messages.
#[derive(Debug, Default, Clone, Copy)]
struct Score {
    messages: u32,
    exact: u32,
    codes: Counts,
    links: Counts,
    negatives: u32,
    false_on_negatives: u32,
}

#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    expected: u32,
    answered: u32,
    right: u32,
}

impl Counts {
    fn add(&mut self, expected: Option<&str>, answer: Option<&str>) {
        self.expected += u32::from(expected.is_some());
        self.answered += u32::from(answer.is_some());
        self.right += u32::from(expected.is_some() && expected == answer);
    }
    fn precision(&self) -> f64 {
        percent(self.right, self.answered)
    }
    fn recall(&self) -> f64 {
        percent(self.right, self.expected)
    }
}

impl Score {
    fn add(&mut self, label: &Label, found: &Extraction) {
        let (code, link) = answers(found);
        self.messages += 1;
        self.codes.add(label.code.as_deref(), code);
        self.links.add(label.link.as_deref(), link);
        self.exact += u32::from(label.code.as_deref() == code && label.link.as_deref() == link);
        if label.class == "negative" {
            self.negatives += 1;
            self.false_on_negatives += u32::from(code.is_some() || link.is_some());
        }
    }

    fn row(&self, name: &str) -> String {
        format!(
            "{name:<24} {:>5} {:>7.1} {:>7.1} {:>7.1} {:>7.1} {:>7.1} {:>7.1}",
            self.messages,
            percent(self.exact, self.messages),
            self.codes.precision(),
            self.codes.recall(),
            self.links.precision(),
            self.links.recall(),
            if self.negatives == 0 { 0.0 } else { percent(self.false_on_negatives, self.negatives) },
        )
    }
}

/// A hundred where there was nothing to get wrong.
fn percent(part: u32, whole: u32) -> f64 {
    if whole == 0 { 100.0 } else { 100.0 * f64::from(part) / f64::from(whole) }
}

fn answers(found: &Extraction) -> (Option<&str>, Option<&str>) {
    (found.code.as_ref().map(|code| code.value.as_str()), found.link.as_ref().map(|link| link.url.as_str()))
}

/// Runs the engine on a message as it comes over the wire.
fn extract_from(raw: &[u8]) -> Extraction {
    let message = MessageParser::default().parse(raw).expect("the corpus holds messages that can be parsed");
    let (mut text, mut html) = (Vec::new(), Vec::new());
    for part in message.parts.iter().filter(|part| part.attachment_name().is_none()) {
        match &part.body {
            PartType::Text(body) => text.push(body.as_ref()),
            PartType::Html(body) => html.push(body.as_ref()),
            _ => {}
        }
    }
    let from = message.from().and_then(|from| from.first());
    extract(&Input {
        subject: message.subject().unwrap_or_default(),
        from_address: from.and_then(|from| from.address()),
        from_name: from.and_then(|from| from.name()),
        text: &text,
        html: &html,
        rules: &[],
    })
}

/// The folder of a split.
fn folder(split: &str) -> &str {
    if split == "dev" { "dev" } else { "test" }
}

/// The split of a file of the test folder. What was written after the first engine, and what was written after the
/// second, are scored apart from the first tests.
fn part(file: &str) -> &'static str {
    if file.contains("-h1-") {
        "held_out"
    } else if file.contains("-h2-") {
        "held_out_2"
    } else {
        "test"
    }
}

fn labels(split: &str) -> Option<Vec<Label>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(folder(split)).join("labels.jsonl");
    let lines = std::fs::read_to_string(path).ok()?;
    let all = lines.lines().map(|line| serde_json::from_str::<Label>(line).expect("a label"));
    Some(all.filter(|label| split == "dev" || split == part(&label.file)).collect())
}

/// Of the best candidates with about the same confidence: how many there are, the sum of it, how many are right.
#[derive(Debug, Default, Clone, Copy)]
struct Bin {
    count: u32,
    sum: f64,
    right: u32,
}

/// Whether a confidence means what it says: a line for each tenth.
#[derive(Debug, Default)]
struct Reliability([Bin; 10]);

impl Reliability {
    fn add(&mut self, confidence: Option<f32>, right: bool) {
        let Some(confidence) = confidence.map(f64::from) else { return };
        let bins = (1..10).filter(|tenth| confidence >= f64::from(*tenth) / 10.0).count();
        if let Some(bin) = self.0.get_mut(bins) {
            bin.count += 1;
            bin.sum += confidence;
            bin.right += u32::from(right);
        }
    }

    fn lines(&self, what: &str) -> String {
        let mut lines = format!("{what:<24} {:>5} {:>9} {:>9}\n", "n", "said", "right");
        for (tenth, bin) in self.0.iter().enumerate().filter(|(_, bin)| bin.count > 0) {
            let said = 100.0 * bin.sum / f64::from(bin.count);
            let range = format!("{} % to {} %", tenth * 10, tenth * 10 + 10);
            let _ = writeln!(lines, "{range:<24} {:>5} {said:>9.1} {:>9.1}", bin.count, percent(bin.right, bin.count));
        }
        lines
    }
}

fn read(split: &str, file: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(folder(split)).join(file);
    std::fs::read(path).expect("a message beside its label")
}

/// Scores a split and prints its tables.
fn score(split: &str, labels: &[Label], misses: bool) -> Score {
    let mut total = Score::default();
    let mut groups: BTreeMap<String, Score> = BTreeMap::new();
    let mut report = String::new();
    let (mut codes, mut links) = (Reliability::default(), Reliability::default());
    for label in labels {
        let found = extract_from(&read(split, &label.file));
        total.add(label, &found);
        let best = found.codes.first();
        codes.add(best.map(|one| one.confidence), label.code.is_some() && best.map(|one| &one.value) == label.code.as_ref());
        let best = found.links.first();
        links.add(best.map(|one| one.confidence), label.link.is_some() && best.map(|one| &one.url) == label.link.as_ref());
        let names = label.forms.iter().map(|form| format!("form {form}"));
        for name in names.chain([format!("lang {}", label.lang), format!("level {}", label.difficulty)]) {
            groups.entry(name).or_default().add(label, &found);
        }
        let (code, link) = answers(&found);
        if misses && (code != label.code.as_deref() || link != label.link.as_deref()) {
            let _ =
                writeln!(report, "MISS {} code {:?} found {code:?} link {:?} found {link:?}", label.file, label.code, label.link);
            for one in found.codes.iter().take(3) {
                let _ = writeln!(report, "  {} {} {} [{}] {}", one.value, one.confidence, one.rule, one.reason, one.context);
            }
            for one in found.links.iter().take(3) {
                let _ = writeln!(report, "  {} {} {} [{}] {}", one.url, one.confidence, one.rule, one.reason, one.text);
            }
        }
    }
    let head = ["messages", "exact", "code P", "code R", "link P", "link R", "false"];
    let _ = writeln!(
        report,
        "{:<24} {:>5} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7}",
        split, "n", head[1], head[2], head[3], head[4], head[5], head[6]
    );
    for (name, score) in &groups {
        if score.messages >= 5 {
            let _ = writeln!(report, "{}", score.row(name));
        }
    }
    let _ = writeln!(report, "{}\n", total.row("all"));
    let _ = writeln!(report, "{}\n{}", codes.lines("confidence of codes"), links.lines("confidence of links"));
    println!("{report}");
    total
}

fn holds(split: &str, score: &Score, floor: &Floor) {
    let least = [
        ("precision of codes", score.codes.precision(), floor.code_precision),
        ("recall of codes", score.codes.recall(), floor.code_recall),
        ("precision of links", score.links.precision(), floor.link_precision),
        ("recall of links", score.links.recall(), floor.link_recall),
    ];
    for (name, value, least) in least {
        assert!(value >= least, "{split}: {name} is {value:.2} %, less than the {least} % of corpus/floor.toml");
    }
    let wrong = percent(score.false_on_negatives, score.negatives);
    assert!(wrong <= floor.false_on_negatives, "{split}: false answers on {wrong:.2} % of the negatives");
}

#[test]
fn the_score_on_the_corpus_does_not_fall() {
    let floor = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/floor.toml");
    let floors: BTreeMap<String, Floor> =
        toml::from_str(&std::fs::read_to_string(floor).expect("corpus/floor.toml")).expect("floors of both splits");
    let misses = std::env::var_os("EXTRACTION_MISSES").is_some();
    for (split, floor) in &floors {
        let labels = labels(split).expect("labels.jsonl of the split");
        let score = score(split, &labels, misses && split == "dev");
        holds(split, &score, floor);
    }
}
