//! The panel's pages for operators: settings, old messages, jobs, statistics, reports of encryption.

use serde_json::json;

use super::harness::rest::Answer;
use super::harness::server::note;
use super::harness::smtp_client::SmtpClient;
use super::jobs::done;
use super::panel::{Browser, server};
use super::retention::age;
use super::smtp_sessions::one;

fn leads_to(answer: &Answer, to: &str) {
    assert_eq!((answer.status, answer.header("location")), (303, to), "{answer}");
}

/// The form of the settings as it stands on the page, with some fields changed.
fn filled(page: &str, changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let number = regex::Regex::new(r#"<input[^>]*name="([a-z_]+)" type="number"[^>]*value="([0-9]*)""#).unwrap();
    let version = regex::Regex::new(r#"name="version" value="([^"]*)""#).unwrap();
    let choice = regex::Regex::new(r#"(?s)<select[^>]*name="([a-z_]+)".*?<option value="([a-z]+)" selected"#).unwrap();
    let mut fields: Vec<(String, String)> = number
        .captures_iter(page)
        .chain(choice.captures_iter(page))
        .map(|found| (found[1].to_owned(), found[2].to_owned()))
        .filter(|(name, _)| name != "days")
        .collect();
    fields.push(("version".to_owned(), version.captures(page).unwrap()[1].to_owned()));
    if page.contains(r#"name="keep_readable_passwords" value="yes" checked"#) {
        fields.push(("keep_readable_passwords".to_owned(), "yes".to_owned()));
    }
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        fields.push(((*name).to_owned(), (*value).to_owned()));
    }
    fields
}

async fn send(browser: &mut Browser, fields: &[(String, String)]) -> Answer {
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.post("/admin/settings", &fields).await
}

#[tokio::test]
async fn settings_are_changed_kept_within_their_range_and_set_back() {
    let server = server().await;
    let mut browser = Browser::signed_in(&server).await;
    let page = browser.get("/admin/settings").await.text();
    for name in pillarbox::types::SETTING_NAMES {
        assert!(page.contains(&format!("name=\"{name}\"")), "{name}");
    }
    let changes = [("retention_days", "90"), ("trash_days", ""), ("expired_mailboxes", "keep")];
    leads_to(&send(&mut browser, &filled(&page, &changes)).await, "/admin/settings?done=settings_changed");
    let now = server.rest.get("/settings").await.data();
    assert_eq!(
        (&now["retention_days"], &now["trash_days"], &now["expired_mailboxes"]),
        (&json!(90), &json!(null), &json!("keep"))
    );
    let log = server.rest.all("/audit-log?action=settings.update", 10).await;
    let to = &log[0]["detail"]["to"];
    assert_eq!(*to, json!({ "retention_days": 90, "trash_days": null, "expired_mailboxes": "keep" }), "only what differs");

    let page = browser.get("/admin/settings").await.text();
    for (name, value) in
        [("retention_days", "0"), ("retention_days", "x"), ("expired_mailbox_grace_hours", ""), ("expired_mailboxes", "burn")]
    {
        let answer = send(&mut browser, &filled(&page, &[(name, value)])).await;
        assert!(answer.status == 400 && answer.text().contains(&format!("error-{name}")), "{name}={value}: {answer}");
    }
    assert_eq!(server.rest.get("/settings").await.data(), now);
    // What else was typed is not sent along.
    let back = filled(&page, &[("default", "trash_days"), ("retention_days", "5")]);
    leads_to(&send(&mut browser, &back).await, "/admin/settings?done=settings_changed");
    let now = server.rest.get("/settings").await.data();
    assert_eq!((&now["trash_days"], &now["retention_days"]), (&json!(30), &json!(90)));
}

#[tokio::test]
async fn a_change_of_somebody_else_is_shown_and_not_lost() {
    let server = server().await;
    let mut browser = Browser::signed_in(&server).await;
    let page = browser.get("/admin/settings").await.text();
    server.rest.patch("/settings", json!({ "retention_days": 400, "audit_log_days": 77 })).await.data();
    let answer = send(&mut browser, &filled(&page, &[("retention_days", "9")])).await;
    assert_eq!(answer.status, 409, "{answer}");
    let shown = answer.text();
    for part in ["changed meanwhile, by test", "Now: 400", "Now: 77", r#"value="9""#] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!(server.rest.get("/settings").await.data()["retention_days"], 400);
    leads_to(&send(&mut browser, &filled(&shown, &[])).await, "/admin/settings?done=settings_changed");
    assert_eq!(server.rest.get("/settings").await.data()["retention_days"], 9);
}

#[tokio::test]
async fn readable_passwords_are_given_up_only_after_a_question() {
    let server = server().await;
    let mut browser = Browser::signed_in(&server).await;
    server.mailbox("a@example.org").await;
    let page = browser.get("/admin/settings").await.text();
    let off = filled(&page, &[("keep_readable_passwords", "")]);
    let question = send(&mut browser, &off).await;
    assert!(question.status == 200 && question.text().contains("Remove the readable copies"), "{question}");
    assert_eq!(server.rest.get("/settings").await.data()["keep_readable_passwords"], true);
    let yes = [off.as_slice(), &[("confirm".to_owned(), "yes".to_owned())]].concat();
    leads_to(&send(&mut browser, &yes).await, "/admin/settings?done=settings_changed");
    assert_eq!(server.rest.get("/settings").await.data()["keep_readable_passwords"], false);
}

#[tokio::test]
async fn old_messages_are_counted_first_and_removed_after_a_question() {
    let server = server().await;
    let mut browser = Browser::signed_in(&server).await;
    server.mailbox("a@example.org").await;
    for subject in ["old", "older", "new"] {
        server.mail(&["a@example.org"], note(subject, "text")).await;
    }
    age(&server, "old", 10).await;
    age(&server, "older", 20).await;
    browser.get("/admin/settings").await;
    let here = "/admin/settings/old-messages";
    for (days, place, named) in
        [("0", "", "error-days"), ("5", "not a place", "error-place"), ("5", "no@example.org", "error-place")]
    {
        let answer = browser.post(here, &[("days", days), ("place", place), ("action", "count")]).await;
        assert!((400..500).contains(&answer.status) && answer.text().contains(named), "{answer}");
    }
    let counted = browser.post(here, &[("days", "5"), ("place", "example.org"), ("action", "count")]).await.text();
    assert!(counted.contains("2 messages would be removed"), "{counted}");
    let question = browser.post(here, &[("days", "5"), ("place", ""), ("action", "remove")]).await.text();
    assert!(question.contains("Remove 2 messages for good?"), "{question}");
    assert_eq!(server.subjects("a@example.org").await.len(), 3);
    let fields = [("days", "5"), ("place", ""), ("action", "remove"), ("confirm", "yes")];
    leads_to(&browser.post(here, &fields).await, "/admin/settings?done=old_removed");
    assert_eq!(server.subjects("a@example.org").await, ["new"]);
}

#[tokio::test]
async fn jobs_are_shown_and_done_when_asked() {
    let server = server().await;
    let mut browser = Browser::signed_in(&server).await;
    let page = browser.get("/admin/jobs").await.text();
    let jobs = server.rest.get("/jobs").await.data();
    for job in jobs.as_array().unwrap() {
        assert!(page.contains(job["name"].as_str().unwrap()), "{job}");
    }
    leads_to(&browser.post("/admin/jobs/mailboxes.expire/run", &[]).await, "/admin/jobs?done=job_due");
    assert_eq!(browser.post("/admin/jobs/no.such.job/run", &[]).await.status, 404);
    sqlx::query("update jobs set last_error = 'the <disk> is full', failures_in_a_row = 3 where name = 'audit_log.trim'")
        .execute(&server.db)
        .await
        .unwrap();
    let page = browser.get("/admin/jobs").await.text();
    assert!(page.contains("the &#60;disk&#62; is full") && page.contains("Failed 3 times in a row"), "{page}");
}

#[tokio::test]
async fn statistics_show_what_came_in_and_what_was_refused_as_bars_and_as_a_table() {
    let server = server().await;
    let mut browser = Browser::signed_in(&server).await;
    server.mailbox("a@example.org").await;
    server.mail(&["a@example.org"], note("Your code", "Your verification code is 482913.")).await;
    let mut client = SmtpClient::hello(server.smtp).await;
    client.dialogue(&[("MAIL FROM:<>", "250 "), ("RCPT TO:<nobody@example.org>", "550 "), ("QUIT", "221 ")]).await;
    one(&server, "/smtp-sessions?outcome=refused").await;
    done(&server, "stats.roll_up").await;
    let series = server.rest.get("/stats/timeseries?unit=hour&points=2").await.data();
    let sum = |name: &str| series.as_array().unwrap().iter().map(|point| point[name].as_i64().unwrap()).sum::<i64>();
    assert_eq!((sum("messages"), sum("codes"), sum("refused")), (1, 1, 1));
    for (span, points) in [("24h", 24), ("7d", 168), ("30d", 30), ("90d", 90), ("365d", 365), ("nonsense", 30)] {
        let answer = browser.get(&format!("/admin/statistics?span={span}")).await;
        let page = answer.text();
        assert_eq!(page.matches(r#"class="chart-bar""#).count(), 3 * points, "{span}");
        assert_eq!(page.matches("<th scope=\"row\">").count(), points, "{span}");
        assert!(page.contains("Sessions refused: 1 in all"), "{span}");
        assert!(!page.contains(" style=") && !page.contains("<style"), "{span}: the policy forbids it");
    }
}

#[tokio::test]
async fn reports_of_encryption_of_all_domains_stand_on_one_page() {
    let server = server().await;
    let mut browser = Browser::signed_in(&server).await;
    let report = |organization: &str, failed: u32| {
        json!({
            "organization-name": organization, "contact-info": "postmaster@sender.example", "report-id": organization,
            "date-range": { "start-datetime": "2026-11-26T00:00:00Z", "end-datetime": "2026-11-26T23:59:59Z" },
            "policies": [{
                "policy": { "policy-type": "sts", "policy-domain": "example.org" },
                "summary": { "total-successful-session-count": 41, "total-failure-session-count": failed },
                "failure-details": if failed == 0 { json!([]) } else {
                    json!([{ "result-type": "certificate-expired", "failed-session-count": failed }])
                },
            }],
        })
    };
    for (organization, failed) in [("Good Sender", 0), ("Poor Sender", 7)] {
        let body = report(organization, failed).to_string().into_bytes();
        let answer = server.stranger().send("POST", "/tls-reports", Some(("application/tlsrpt+json", body))).await;
        assert!((200..300).contains(&answer.status), "{answer}");
    }
    let page = browser.get("/admin/tls-reports").await.text();
    assert!(page.contains("Good Sender") && page.contains("Poor Sender") && page.contains("certificate-expired"), "{page}");
    let page = browser.get("/admin/tls-reports?failures=yes&domain=example.org").await.text();
    assert!(!page.contains("Good Sender") && page.contains("Poor Sender"), "{page}");
    assert_eq!(browser.get("/admin/tls-reports?domain=no+domain").await.status, 400);
}
