//! Background jobs: done by one node at a time, ended cleanly, shown to operators.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pillarbox::config::RawConfig;
use pillarbox::error::Error;
use pillarbox::jobs::{Job, Runner};
use serde_json::json;
use sqlx::PgPool;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use crate::harness::database::database;
use crate::harness::server::Server;

fn runner(db: &PgPool, node: &str, jobs: Vec<Job>) -> (Runner, Arc<Notify>) {
    let wake = Arc::new(Notify::new());
    (Runner::new(db.clone(), node.to_owned(), jobs, Arc::clone(&wake)), wake)
}

async fn due(db: &PgPool) {
    sqlx::query("update jobs set next_run_at = now()").execute(db).await.unwrap();
}

#[tokio::test]
async fn a_job_is_done_by_one_node_at_a_time() {
    let db = database().await;
    let stop = CancellationToken::new();
    let (at_once, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (told, mut runs) = mpsc::unbounded_channel();
    let mut nodes = Vec::new();
    for node in ["a", "b", "c"] {
        let (at_once, most, told) = (Arc::clone(&at_once), Arc::clone(&most), told.clone());
        let job = Job::new("test.count", Duration::ZERO, move |_| {
            let (at_once, most, told) = (Arc::clone(&at_once), Arc::clone(&most), told.clone());
            async move {
                most.fetch_max(at_once.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                at_once.fetch_sub(1, Ordering::SeqCst);
                told.send(()).unwrap();
                Ok(json!({}))
            }
        });
        nodes.push(tokio::spawn(runner(&db, node, vec![job]).0.run(stop.clone())));
    }
    for _ in 0..60 {
        tokio::time::timeout(Duration::from_secs(20), runs.recv()).await.expect("runs go on").unwrap();
    }
    stop.cancel();
    for node in nodes {
        node.await.unwrap();
    }
    assert_eq!(most.load(Ordering::SeqCst), 1);
    let (epoch, claimed): (i64, bool) =
        sqlx::query_as("select epoch, claimed_by is not null from jobs").fetch_one(&*db).await.unwrap();
    assert!(epoch >= 60, "{epoch} claims");
    assert!(!claimed, "a claim was left behind");
}

#[tokio::test]
async fn a_failure_is_written_down_and_tried_again_later() {
    let db = database().await;
    let stop = CancellationToken::new();
    let (told, mut runs) = mpsc::unbounded_channel();
    let job = Job::new("test.fail", Duration::from_hours(1), move |_| {
        told.send(()).unwrap();
        async { Err(Error::Internal(anyhow::anyhow!("the disk is full"))) }
    });
    let panicking = Job::new("test.panic", Duration::from_hours(1), |_| async { panic!("oh") });
    let (runner, wake) = runner(&db, "a", vec![job, panicking]);
    let node = tokio::spawn(runner.run(stop.clone()));
    runs.recv().await.unwrap();
    // Whatever it was doing, it has written it down once it has claimed the job again.
    due(&db).await;
    loop {
        wake.notify_one();
        if tokio::time::timeout(Duration::from_millis(200), runs.recv()).await.is_ok() {
            break;
        }
        due(&db).await;
    }
    stop.cancel();
    node.await.unwrap();
    let rows: Vec<(String, Option<String>, i32, bool)> =
        sqlx::query_as("select name, last_error, failures_in_a_row, next_run_at > now() from jobs order by name")
            .fetch_all(&*db)
            .await
            .unwrap();
    assert_eq!(rows[0].0, "test.fail");
    assert!(rows[0].1.as_deref().unwrap().contains("the disk is full"), "{rows:?}");
    assert!(rows[0].2 >= 1);
    assert!(rows[1].1.as_deref().unwrap().contains("panicked"), "{rows:?}");
}

#[tokio::test]
async fn a_dead_nodes_claim_runs_out_and_its_own_end_changes_nothing_any_more() {
    let db = database().await;
    let stop = CancellationToken::new();
    let (told, mut runs) = mpsc::unbounded_channel();
    let job = Job::new("test.once", Duration::from_hours(1), move |_| {
        told.send(()).unwrap();
        async { Ok(json!({ "by": "the living" })) }
    });
    sqlx::query(
        "insert into jobs (name, epoch, claimed_by, claimed_until) values ('test.once', 7, 'dead', now() + interval '1 hour')",
    )
    .execute(&*db)
    .await
    .unwrap();
    let (runner, wake) = runner(&db, "living", vec![job]);
    let node = tokio::spawn(runner.run(stop.clone()));
    wake.notify_one();
    assert!(tokio::time::timeout(Duration::from_millis(300), runs.recv()).await.is_err(), "the claim was not respected");
    sqlx::query("update jobs set claimed_until = now()").execute(&*db).await.unwrap();
    wake.notify_one();
    runs.recv().await.unwrap();
    stop.cancel();
    node.await.unwrap();
    // What the dead one would write under its old epoch.
    let late =
        sqlx::query("update jobs set last_error = 'late' where name = 'test.once' and epoch = 7").execute(&*db).await.unwrap();
    assert_eq!(late.rows_affected(), 0);
}

#[tokio::test]
async fn a_run_hears_that_the_server_stops_and_its_job_stays_due() {
    let db = database().await;
    let stop = CancellationToken::new();
    let (told, mut runs) = mpsc::unbounded_channel();
    let job = Job::new("test.long", Duration::from_hours(1), move |turn| {
        told.send(()).unwrap();
        async move {
            turn.over().await;
            Ok(json!({}))
        }
    });
    let node = tokio::spawn(runner(&db, "a", vec![job]).0.run(stop.clone()));
    runs.recv().await.unwrap();
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(5), node).await.expect("a clean end").unwrap();
    let (due, free): (bool, bool) =
        sqlx::query_as("select next_run_at <= now(), claimed_until is null from jobs").fetch_one(&*db).await.unwrap();
    assert!(due && free);
}

#[tokio::test]
async fn old_rows_of_the_audit_log_go_by_the_setting() {
    let server = Server::empty(RawConfig::default()).await;
    sqlx::query(
        "insert into audit_log (audit_id, at, actor_kind, actor_name, surface, action, target, outcome)
         select ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, now() - interval '400 days', 'admin', 'old', 'panel',
             'old.row', '', 'done'
         from generate_series(1, 1500) n",
    )
    .execute(&server.db)
    .await
    .unwrap();
    server.rest.patch("/settings", json!({ "audit_log_days": 500 })).await.data();
    assert_eq!(done(&server, "audit_log.trim").await["removed"], 0);
    server.rest.patch("/settings", json!({ "audit_log_days": 399 })).await.data();
    assert_eq!(done(&server, "audit_log.trim").await["removed"], 1500);
    assert!(!server.rest.all("/audit-log?action=settings.update", 10).await.is_empty());
    server.rest.post("/jobs/no.such/run", json!({})).await.problem(404, "job_not_found");
}

/// Has a job done now, and waits for its end.
pub(crate) async fn done(server: &Server, name: &str) -> serde_json::Value {
    // One that is under way may have read the settings already.
    let job = async || -> (i64, Option<String>, serde_json::Value, bool) {
        sqlx::query_as(
            "select epoch, last_error, last_result, claimed_until is not null or next_run_at <= now() from jobs where name = $1",
        )
        .bind(name)
        .fetch_optional(&server.db)
        .await
        .unwrap()
        .unwrap_or((0, None, json!(null), true))
    };
    let settled = async || {
        loop {
            let (epoch, error, result, is_busy) = job().await;
            if !is_busy {
                assert_eq!(error, None, "{name}");
                return (epoch, result);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let patience = Duration::from_secs(30);
    let (before, _) = tokio::time::timeout(patience, settled()).await.expect("the job is at rest");
    server.rest.post(&format!("/jobs/{name}/run"), json!({})).await.data();
    let (after, result) = tokio::time::timeout(patience, settled()).await.expect("the job is done");
    assert!(after > before, "{name} was not done");
    result
}
