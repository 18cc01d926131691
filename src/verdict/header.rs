//! The verdicts as a header field: `Authentication-Results` (RFC 8601).

use std::fmt::Write as _;

use crate::types::{DkimVerdict, Outcome, Verdicts};

use super::Sender;

/// The field, with its line ends. What comes from outside stands in quotes where it has to, and never breaks a line.
pub fn field(own_name: &str, verdicts: &Verdicts, sender: &Sender) -> String {
    if !verdicts.checked {
        return unchecked_field(own_name);
    }
    let mut text = format!("Authentication-Results: {own_name}");
    let spf = &verdicts.spf;
    let mail_from = if sender.reverse_path.is_empty() { None } else { Some(sender.reverse_path.as_str()) };
    if let Some(mail_from) = mail_from {
        result(&mut text, "spf", spf.result, spf.reason.as_deref(), &[("smtp.mailfrom", mail_from)]);
    }
    let helo = &verdicts.spf_helo;
    result(&mut text, "spf", helo.result, helo.reason.as_deref(), &[("smtp.helo", &sender.helo)]);
    if verdicts.dkim.is_empty() {
        result(&mut text, "dkim", Outcome::None, None, &[]);
    }
    for DkimVerdict { result: outcome, domain, selector, algorithm, signature, reason } in &verdicts.dkim {
        let properties =
            [("header.d", domain.as_str()), ("header.s", selector), ("header.a", algorithm), ("header.b", signature)];
        result(&mut text, "dkim", *outcome, reason.as_deref(), &properties);
    }
    let from = verdicts.from_domain.as_deref().unwrap_or_default();
    let dmarc = &verdicts.dmarc;
    let properties = [("header.from", from), ("policy.published-domain-policy", dmarc.policy.as_str())];
    result(&mut text, "dmarc", dmarc.result, dmarc.reason.as_deref(), &properties);
    let sealer = verdicts.arc.sealer.as_deref().unwrap_or_default();
    result(&mut text, "arc", verdicts.arc.result, verdicts.arc.reason.as_deref(), &[("header.d", sealer)]);
    let address = verdicts.iprev.address.map(|address| address.to_string()).unwrap_or_default();
    result(&mut text, "iprev", verdicts.iprev.result, verdicts.iprev.reason.as_deref(), &[("policy.iprev", &address)]);
    text.push_str("\r\n");
    text
}

/// The field of a message whose sender was not checked (RFC 8601 section 2.2).
pub fn unchecked_field(own_name: &str) -> String {
    format!("Authentication-Results: {own_name}; none\r\n")
}

fn result(text: &mut String, method: &str, outcome: Outcome, reason: Option<&str>, properties: &[(&str, &str)]) {
    // Writing to a String cannot fail.
    let _ = write!(text, ";\r\n\t{method}={}", outcome.as_str());
    if let Some(reason) = reason {
        text.push_str("\r\n\t reason=");
        quoted(text, reason);
    }
    for (name, value) in properties.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = write!(text, "\r\n\t {name}=");
        if is_plain(value) { text.push_str(value) } else { quoted(text, value) }
    }
}

/// A token, or the address form of RFC 8601 section 2.2, of characters that need no quotes.
fn is_plain(value: &str) -> bool {
    value.len() <= 320 && value.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-./@^_`{|}~".contains(c))
}

fn quoted(text: &mut String, value: &str) {
    text.push('"');
    for c in value.chars().take(320) {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            c if c.is_control() => text.push(' '),
            c => text.push(c),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use crate::types::{DmarcVerdict, SpfVerdict};

    use super::*;

    fn sender(reverse_path: &str, helo: &str) -> Sender {
        Sender { address: "2001:db8::1".parse().expect("v6"), helo: helo.into(), reverse_path: reverse_path.into() }
    }

    #[test]
    fn the_field_names_each_result() {
        let verdicts = Verdicts {
            checked: true,
            from_domain: Some("example.net".into()),
            spf: SpfVerdict { result: Outcome::Pass, domain: "example.net".into(), reason: None },
            dkim: vec![DkimVerdict {
                result: Outcome::Fail,
                domain: "example.net".into(),
                selector: "key".into(),
                algorithm: "rsa-sha256".into(),
                signature: "YWJj+/==".into(),
                reason: Some("the body was changed after it was signed".into()),
            }],
            dmarc: DmarcVerdict { result: Outcome::Pass, ..DmarcVerdict::default() },
            ..Verdicts::default()
        };
        let text = field("mx.example.org", &verdicts, &sender("bounce@example.net", "mail.example.net"));
        assert_eq!(
            text.replace("\r\n\t", " "),
            "Authentication-Results: mx.example.org; spf=pass  smtp.mailfrom=bounce@example.net; spf=none  \
             smtp.helo=mail.example.net; dkim=fail  reason=\"the body was changed after it was signed\"  \
             header.d=example.net  header.s=key  header.a=rsa-sha256  header.b=\"YWJj+/==\"; dmarc=pass  \
             header.from=example.net  policy.published-domain-policy=none; arc=none; iprev=none\r\n"
        );
        assert!(text.split("\r\n").all(|line| line.len() < 998));
        assert_eq!(unchecked_field("mx.example.org"), "Authentication-Results: mx.example.org; none\r\n");
    }

    #[test]
    fn nothing_from_outside_breaks_out_of_the_field() {
        let verdicts = Verdicts { checked: true, ..Verdicts::default() };
        let hostile = "\"a\r\nX-Evil: yes; spf=pass\"@example.net";
        let text = field("mx.example.org", &verdicts, &sender(hostile, "h\u{0}; dkim=pass"));
        assert!(!text.contains("\nX-Evil"), "{text}");
        assert!(text.contains("smtp.mailfrom=\"\\\"a  X-Evil: yes; spf=pass\\\"@example.net\""), "{text}");
        assert!(text.contains("smtp.helo=\"h ; dkim=pass\""), "{text}");
    }
}
