//! Runtime settings: ranges, changes noticed, the same on every node.

use pillarbox::config::RawConfig;
use serde_json::json;

use crate::harness::server::Server;

#[tokio::test]
async fn a_setting_has_a_default_a_range_and_a_way_back() {
    let server = Server::empty(RawConfig::default()).await;
    let before = server.rest.get("/settings").await.data();
    assert_eq!(
        (&before["retention_days"], &before["trash_days"], &before["updated_at"]),
        (&json!(null), &json!(30), &json!(null))
    );
    let after = server.rest.patch("/settings", json!({ "retentionDays": 90, "trash_days": null })).await.data();
    assert_eq!(
        (&after["retention_days"], &after["trash_days"], &after["updated_by"]),
        (&json!(90), &json!(null), &json!("test"))
    );
    assert_ne!(after["version"], before["version"]);
    assert_eq!(server.rest.get("/settings").await.data(), after);
    server.rest.patch("/settings", json!({ "retention_days": 0 })).await.points_at("/retention_days");
    server.rest.patch("/settings", json!({ "keep_readable_passwords": null })).await.problem(400, "invalid_input");
    server.rest.patch("/settings", json!({ "expired_mailboxes": "burn" })).await.points_at("/expired_mailboxes");
    assert_eq!(server.rest.get("/settings").await.data(), after);
    let log = server.rest.all("/audit-log?action=settings.update", 10).await;
    assert_eq!(
        log[0]["detail"],
        json!({ "from": { "retention_days": null, "trash_days": 30 }, "to": { "retention_days": 90, "trash_days": null } })
    );
}

#[tokio::test]
async fn a_change_on_top_of_somebody_elses_is_noticed() {
    let server = Server::empty(RawConfig::default()).await;
    let version = server.rest.get("/settings").await.data()["version"].take();
    server.rest.patch("/settings", json!({ "version": version, "trash_days": 1 })).await.data();
    server.rest.patch("/settings", json!({ "version": version, "trash_days": 2 })).await.problem(409, "settings_changed");
    assert_eq!(server.rest.get("/settings").await.data()["trash_days"], 1);
}
