//! Compares what servers say with what is wanted.

use crate::types::Verdict;

use super::ask::Seen;

/// How the records that one server has fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fit {
    Right,
    /// With the reason, for people.
    Wrong(String),
}

/// What all servers together come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Judgement {
    pub(super) verdict: Verdict,
    /// All records that any server has, each once.
    pub(super) found: Vec<String>,
    /// Servers that say otherwise than most want, or nothing.
    pub(super) lagging: Vec<String>,
    /// Why it is wrong, or why nobody answered.
    pub(super) reason: Option<String>,
}

/// `fit` is asked about the records of a server that has some. Only those that `concerns` picks count: a name may hold other texts.
pub(super) fn judge(seen: &[Seen], concerns: impl Fn(&str) -> bool, fit: impl Fn(&[String]) -> Fit) -> Judgement {
    let mut found: Vec<String> = Vec::new();
    let (mut right, mut other, mut silent) = (Vec::new(), Vec::new(), Vec::new());
    let (mut wrong, mut failure) = (None, None);
    for Seen { server, records } in seen {
        match records {
            Err(why) => {
                silent.push(server.clone());
                failure.get_or_insert_with(|| format!("{server}: {why}"));
            }
            Ok(records) => {
                let records: Vec<String> = records.iter().filter(|record| concerns(record)).cloned().collect();
                let fits = if records.is_empty() { None } else { Some(fit(&records)) };
                match fits {
                    Some(Fit::Right) => right.push(server.clone()),
                    Some(Fit::Wrong(why)) => {
                        other.push(server.clone());
                        wrong.get_or_insert(why);
                    }
                    None => other.push(server.clone()),
                }
                for record in records {
                    if !found.contains(&record) {
                        found.push(record);
                    }
                }
            }
        }
    }
    let (verdict, lagging, reason) = match (right.is_empty(), other.is_empty()) {
        // Those that are silent now say nothing about the record.
        (false, true) => (Verdict::Right, silent, None),
        (false, false) => (Verdict::NotEverywhere, [other, silent].concat(), wrong),
        (true, false) if wrong.is_some() => (Verdict::Wrong, Vec::new(), wrong),
        (true, false) => (Verdict::Missing, Vec::new(), None),
        (true, true) => (Verdict::Unanswered, silent, failure),
    };
    Judgement { verdict, found, lagging, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each server answers, the verdict, and the servers that lag behind.
    type Case<'a> = (&'a [Result<&'a [&'a str], ()>], Verdict, &'a [&'a str]);

    #[test]
    fn servers_that_differ_are_told_apart() {
        let seen = |answers: &[Result<&[&str], ()>]| -> Vec<Seen> {
            let records = |answer: &Result<&[&str], ()>| match answer {
                Ok(records) => Ok(records.iter().map(|&r| r.to_owned()).collect()),
                Err(()) => Err("away".to_owned()),
            };
            answers.iter().enumerate().map(|(n, answer)| Seen { server: format!("ns{n}"), records: records(answer) }).collect()
        };
        let fit = |records: &[String]| if records.iter().any(|r| r == "good") { Fit::Right } else { Fit::Wrong("bad".into()) };
        let cases: [Case<'_>; 8] = [
            (&[Ok(&["good"]), Ok(&["good"])], Verdict::Right, &[]),
            (&[Ok(&["good"]), Err(())], Verdict::Right, &["ns1"]),
            (&[Ok(&["good"]), Ok(&[])], Verdict::NotEverywhere, &["ns1"]),
            (&[Ok(&["bad"]), Ok(&["good"])], Verdict::NotEverywhere, &["ns0"]),
            (&[Ok(&["bad"]), Ok(&[])], Verdict::Wrong, &[]),
            (&[Ok(&[]), Ok(&["ignored"])], Verdict::Missing, &[]),
            (&[Err(()), Err(())], Verdict::Unanswered, &["ns0", "ns1"]),
            (&[], Verdict::Unanswered, &[]),
        ];
        for (answers, verdict, lagging) in cases {
            let judgement = judge(&seen(answers), |record| record != "ignored", fit);
            assert_eq!(judgement.verdict, verdict, "{answers:?}");
            assert_eq!(judgement.lagging, lagging, "{answers:?}");
        }
    }
}
