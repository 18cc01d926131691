//! What is kept for how long, and that what must stay stays.

use serde_json::json;

use crate::harness::server::{Server, note};
use crate::jobs::done;

/// Makes a message look as if it had come so many days ago.
pub(crate) async fn age(server: &Server, subject: &str, days: i32) {
    let done = sqlx::query(
        // What the search knows of it hangs on its id.
        "with forgotten as (
             delete from message_search s using messages m where s.message_id = m.message_id and m.subject = $1
         )
         update messages set received_at = now() - make_interval(days => $2),
             message_id = (lpad(to_hex((extract(epoch from now() - make_interval(days => $2)) * 1000)::bigint), 12, '0')
                 || substr(replace(message_id::text, '-', ''), 13))::uuid
         where subject = $1",
    )
    .bind(subject)
    .bind(days)
    .execute(&server.db)
    .await
    .unwrap();
    assert!(done.rows_affected() > 0, "{subject}");
}

#[tokio::test]
async fn old_messages_go_by_the_rule_that_is_nearest_to_them_and_starred_ones_stay() {
    let server = Server::start().await;
    server.rest.post("/domains", json!({ "name": "short.example" })).await.data();
    for address in ["a@example.org", "keeps@example.org", "b@short.example", "trashed@example.org"] {
        server.mailbox(address).await;
    }
    for (address, subject) in [
        ("a@example.org", "new"),
        ("a@example.org", "old"),
        ("a@example.org", "starred"),
        ("keeps@example.org", "kept"),
        ("b@short.example", "short"),
        ("trashed@example.org", "in the trash"),
    ] {
        server.mail(&[address], note(subject, "text")).await;
    }
    for (subject, days) in [("old", 31), ("starred", 400), ("kept", 31), ("short", 8), ("in the trash", 400)] {
        age(&server, subject, days).await;
    }
    let starred = server.rest.get("/messages?limit=200").await.page().0;
    let starred = starred.iter().find(|row| row["subject"] == "starred").unwrap()["id"].as_str().unwrap().to_owned();
    server.rest.patch(&format!("/messages/{starred}"), json!({ "is_starred": true })).await.data();
    server.rest.delete("/mailboxes/trashed@example.org").await.data();
    assert_eq!(done(&server, "messages.retention").await["removed"], 0, "nothing is removed unasked");

    server.rest.patch("/settings", json!({ "retention_days": 30 })).await.data();
    server.rest.patch("/domains/short.example", json!({ "retention_days": 7 })).await.data();
    let kept = server.rest.patch("/mailboxes/keeps@example.org", json!({ "retention_days": 60 })).await.data();
    assert_eq!(kept["retention_days"], 60);
    assert_eq!(done(&server, "messages.retention").await["removed"], 2);
    assert_eq!(server.subjects("a@example.org").await, ["new", "starred"]);
    assert_eq!(server.subjects("keeps@example.org").await, ["kept"]);
    assert_eq!(server.subjects("b@short.example").await, Vec::<String>::new());
    assert_eq!(server.look("a@example.org").await["message_count"], 2);
    let log = server.rest.all("/audit-log?action=message.retention&actor_kind=job", 10).await;
    assert_eq!((log.len(), &log[0]["detail"]["removed"]), (1, &json!(2)));
    let in_trash: i64 =
        sqlx::query_scalar("select count(*) from messages where subject = 'in the trash'").fetch_one(&server.db).await.unwrap();
    assert_eq!(in_trash, 1);
}

#[tokio::test]
async fn old_messages_are_counted_first_and_then_removed() {
    let server = Server::start().await;
    server.mailbox("a@example.org").await;
    server.mailbox("b@example.org").await;
    for (address, subject) in [("a@example.org", "a-old"), ("b@example.org", "b-old"), ("a@example.org", "a-new")] {
        server.mail(&[address], note(subject, "text")).await;
    }
    age(&server, "a-old", 10).await;
    age(&server, "b-old", 10).await;
    let ask = async |body| server.rest.post("/messages/delete-old", body).await.data();
    let dry = ask(json!({ "days": 5, "dryRun": true })).await;
    assert_eq!(dry, json!({ "deleted_count": 0, "matching_count": 2, "dry_run": true }));
    assert_eq!(ask(json!({ "days": 5, "mailbox": "a@example.org" })).await["deleted_count"], 1);
    assert_eq!(server.subjects("a@example.org").await, ["a-new"]);
    assert_eq!(ask(json!({ "days": 5, "domain": "example.org" })).await["deleted_count"], 1);
    assert_eq!(ask(json!({ "days": 5 })).await["deleted_count"], 0);
    server
        .rest
        .post("/messages/delete-old", json!({ "days": 5, "mailbox": "no@example.org" }))
        .await
        .problem(404, "mailbox_not_found");
}

#[tokio::test]
async fn an_expired_mailbox_refuses_mail_then_lies_in_the_trash_and_then_is_gone() {
    let server = Server::start().await;
    server.rest.post("/mailboxes", json!({ "address": "a@example.org", "expires_at": 4_000_000_000_i64 })).await.data();
    server.mail(&["a@example.org"], note("one", "text")).await;
    assert_eq!(done(&server, "mailboxes.expire").await, json!({ "trashed": 0, "purged": 0 }));
    server.rest.patch("/mailboxes/a@example.org", json!({ "expires_at": 1000 })).await.data();
    assert!(server.rcpt("a@example.org").await.starts_with("550 5.2.1 "));
    server.rest.patch("/settings", json!({ "expired_mailboxes": "keep" })).await.data();
    assert_eq!(done(&server, "mailboxes.expire").await["trashed"], 0);
    server.rest.patch("/settings", json!({ "expired_mailboxes": "trash" })).await.data();
    assert_eq!(done(&server, "mailboxes.expire").await["trashed"], 1);
    let trashed = server.look("a@example.org").await;
    assert_eq!((&trashed["lifecycle"], &trashed["trashed_by"]), (&json!("trashed"), &json!("expiry")));
    assert_eq!(done(&server, "mailboxes.purge").await["mailboxes"], 0, "thirty days are not over");
    server.rest.patch("/settings", json!({ "trash_days": 0 })).await.data();
    assert_eq!(done(&server, "mailboxes.purge").await, json!({ "mailboxes": 1, "messages": 1 }));
    server.rest.get("/mailboxes/a@example.org").await.problem(404, "mailbox_not_found");
    let log = server.rest.all("/audit-log?target=a@example.org&actor_kind=job", 10).await;
    let actions: Vec<_> = log.iter().map(|row| row["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["mailbox.purge", "mailbox.trash"]);
}

#[tokio::test]
async fn figures_over_time_have_a_point_for_each_hour_and_keep_what_was_removed() {
    let server = Server::start().await;
    server.mailbox("a@example.org").await;
    server.mail(&["a@example.org"], note("Your code", "Your verification code is 482913.")).await;
    server.mail(&["a@example.org"], note("Hello", "text")).await;
    done(&server, "stats.roll_up").await;
    let id = server.newest("a@example.org").await["id"].as_str().unwrap().to_owned();
    server.rest.delete(&format!("/messages/{id}")).await.data();
    done(&server, "stats.roll_up").await;
    let series = server.rest.get("/stats/timeseries?unit=hour&points=3").await.data();
    let points = series.as_array().unwrap();
    assert_eq!(points.len(), 3);
    let sum = |name: &str| points.iter().map(|point| point[name].as_i64().unwrap()).sum::<i64>();
    assert_eq!((sum("messages"), sum("codes")), (2, 1));
    let days = server.rest.get("/stats/timeseries").await.data();
    assert_eq!(days.as_array().unwrap().len(), 30);
    assert_eq!(server.rest.get("/mailboxes/a@example.org/stats").await.data()["total"], 1);
}

#[tokio::test]
async fn codes_of_several_mailboxes_come_in_one_answer() {
    let server = Server::start().await;
    for address in ["a@example.org", "b@example.org"] {
        server.mailbox(address).await;
    }
    server.mail(&["a@example.org"], note("Your code", "Your verification code is 482913.")).await;
    let ask = async |more: serde_json::Value| {
        let mut body = json!({ "mailboxes": ["a@example.org", "b@example.org", "no@example.org"] });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        server.rest.post("/verification-codes/search", body).await.data()
    };
    let found = ask(json!({})).await;
    assert_eq!(found["summary"], json!({ "total": 3, "found": 1, "not_found": 2 }));
    let results = found["results"].as_array().unwrap();
    assert_eq!((&results[0]["code"], &results[0]["email"]["subject"]), (&json!("482913"), &json!("Your code")));
    assert_eq!((&results[1]["code"], &results[1]["error"], &results[1]["email"]), (&json!(null), &json!(null), &json!(null)));
    assert!(results[2]["error"].as_str().unwrap().contains("no@example.org"));
    assert_eq!(ask(json!({ "from": "SENDER@example", "subject": "CODE" })).await["summary"]["found"], 1);
    assert_eq!(ask(json!({ "from": "somebody else" })).await["summary"]["found"], 0);
}

#[tokio::test]
async fn the_audit_log_is_narrowed_by_who_what_whom_when_and_how_it_ended() {
    let server = Server::start().await;
    server.mailbox("a@example.org").await;
    let narrow = server.caller(&["mailbox:read"]).await;
    narrow.delete("/mailboxes/a@example.org").await.problem(403, "missing_scope");
    let count = async |query: &str| server.rest.all(&format!("/audit-log?{query}"), 2).await.len();
    let all = count("").await;
    assert_eq!(count("actor=narrow").await, 1);
    assert_eq!(count("outcome=denied").await, 1);
    assert_eq!(count("target=a@example.org").await, 1);
    assert_eq!(count("actor_kind=operator").await + count("actor_kind=api_key").await, all);
    let now = i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()).unwrap();
    assert_eq!(count(&format!("start_time={}", now - 300)).await, all);
    assert_eq!(count(&format!("end_time={}", now - 300)).await, 0);
    assert_eq!(count(&format!("start_time={}", now + 300)).await, 0);
}
