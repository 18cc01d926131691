//! The verdict in one word: does the author's domain stand for the message?

use crate::types::{DkimVerdict, DmarcVerdict, Outcome, SenderTrust, SpfVerdict};

/// With DMARC, what DMARC says. Without, what SPF and DKIM say about the author's own domain.
pub(super) fn decide(authors: &[String], spf: &SpfVerdict, dkim: &[DkimVerdict], dmarc: &DmarcVerdict) -> (SenderTrust, String) {
    let author = match authors {
        [only] => only,
        [] => return (SenderTrust::None, "The message names no author whose domain could be asked.".to_owned()),
        // RFC 7489 section 6.6.1: a way to show one author and prove another.
        _ => return (SenderTrust::Fail, "The message names authors of several domains.".to_owned()),
    };
    let signed = dkim.iter().find(|signature| signature.result == Outcome::Pass && stands_for(&signature.domain, author));
    let sent = spf.result == Outcome::Pass && stands_for(&spf.domain, author);
    match dmarc.result {
        Outcome::Pass => (SenderTrust::Pass, proven(author, signed, sent)),
        Outcome::Fail => {
            let text =
                format!("Neither SPF nor DKIM proves {author}, which publishes a DMARC policy of {}.", dmarc.policy.as_str());
            (SenderTrust::Fail, text)
        }
        Outcome::TempError => (SenderTrust::TempError, format!("DNS did not say whether this is mail of {author}.")),
        _ if signed.is_some() || sent => (SenderTrust::Pass, proven(author, signed, sent)),
        _ if spf.result == Outcome::Fail && spf.domain == *author => {
            (SenderTrust::Fail, format!("{author} does not send from this address, says its SPF record."))
        }
        _ if is_unknown(author, spf, dkim) => {
            (SenderTrust::TempError, format!("DNS did not say whether this is mail of {author}."))
        }
        _ => (SenderTrust::None, format!("Nothing proves that this is mail of {author}, which publishes no DMARC policy.")),
    }
}

fn proven(author: &str, signed: Option<&DkimVerdict>, sent: bool) -> String {
    match signed {
        Some(signature) if signature.domain == author => format!("{author} signed the message."),
        Some(signature) => format!("{} signed the message for {author}.", signature.domain),
        None if sent => format!("The message comes from a server of {author}."),
        None => format!("A domain of the same owner stands for {author}."),
    }
}

/// Whether an answer that is missing could have proven the author.
fn is_unknown(author: &str, spf: &SpfVerdict, dkim: &[DkimVerdict]) -> bool {
    let signature = |verdict: &DkimVerdict| verdict.result == Outcome::TempError && stands_for(&verdict.domain, author);
    spf.result == Outcome::TempError && stands_for(&spf.domain, author) || dkim.iter().any(signature)
}

/// Without a DMARC record nobody says who owns what, so only the author's domain itself or one above it stands for the author.
fn stands_for(domain: &str, author: &str) -> bool {
    domain.eq_ignore_ascii_case(author) || domain.contains('.') && is_below(author, domain)
}

/// Whether one of the two is the other, or lies below it.
pub(super) fn is_related(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other) || is_below(one, other) || is_below(other, one)
}

fn is_below(lower: &str, upper: &str) -> bool {
    let at = lower.len().checked_sub(upper.len() + 1);
    at.and_then(|at| lower.split_at_checked(at))
        .is_some_and(|(_, end)| end.strip_prefix('.').is_some_and(|end| end.eq_ignore_ascii_case(upper)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_stands_for_whom() {
        for (domain, author, expected) in [
            ("example.net", "example.net", true),
            ("Example.NET", "example.net", true),
            ("example.net", "news.example.net", true),
            ("news.example.net", "example.net", false),
            ("net", "example.net", false),
            ("ample.net", "example.net", false),
            ("", "example.net", false),
        ] {
            assert_eq!(stands_for(domain, author), expected, "{domain} for {author}");
        }
        assert!(is_related("a.example.net", "example.net") && is_related("example.net", "a.example.net"));
        assert!(!is_related("a.example.net", "b.example.net"));
    }
}
