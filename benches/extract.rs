//! How long an extraction takes: `cargo bench --bench extract`.

use std::hint::black_box;

use divan::Bencher;
use pillarbox::mail::extract::Input;
use pillarbox::mail::extract::extract;

fn main() {
    divan::main();
}

fn run(bencher: Bencher<'_, '_>, subject: &str, text: &[&str], html: &[&str]) {
    let input = Input { subject, from_address: Some("no-reply@example.org"), from_name: None, text, html, rules: &[] };
    let _ = extract(&input);
    bencher.bench(|| extract(black_box(&input)));
}

fn letter(length: usize) -> String {
    let filler = "We wrote to you about the garden, the shed and the fence. Nothing else has changed since last week.\n";
    let mut text = "Hello,\n\nyour verification code is 482913. It expires in 10 minutes.\n\n".to_owned();
    while text.len() < length {
        text.push_str(filler);
    }
    text
}

fn page(length: usize) -> String {
    let row = "<tr><td style=\"padding:8px;font-size:14px;color:#333333\">An offer of <b>the week</b>, only 1200 left \
        <a href=\"https://example.org/p/48213?c=9f2\" style=\"color:#0066cc\">Read more</a></td></tr>\n";
    let mut html = "<html><head><style>.x{color:#123456}</style></head><body><table>\
        <tr><td><p>Your verification code:</p><h1 style=\"letter-spacing:4px\">482913</h1></td></tr>"
        .to_owned();
    while html.len() < length {
        html.push_str(row);
    }
    html + "</table></body></html>"
}

#[divan::bench]
fn plain_2_kb_with_a_code(bencher: Bencher<'_, '_>) {
    run(bencher, "Your verification code", &[&letter(2_000)], &[]);
}

#[divan::bench]
fn plain_2_kb_without_anything(bencher: Bencher<'_, '_>) {
    run(bencher, "Hello", &[&letter(2_000).replace("482913", "here").replace("10 ", "ten ")], &[]);
}

#[divan::bench]
fn page_8_kb_with_its_text(bencher: Bencher<'_, '_>) {
    run(bencher, "Your verification code", &[&letter(1_500)], &[&page(8_000)]);
}

#[divan::bench]
fn page_100_kb(bencher: Bencher<'_, '_>) {
    run(bencher, "News of the week", &[], &[&page(100_000)]);
}
