//! The schema, as nodes that start bring it about.

use std::path::Path;

use pillarbox::store::MIGRATOR;
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool};
use sqlx::{AssertSqlSafe, Connection, Executor, SqlSafeStr};

use crate::harness::database::database;

async fn tables(options: &PgConnectOptions) -> Vec<String> {
    let mut db = PgConnection::connect_with(options).await.unwrap();
    let query = "select table_name::text from information_schema.tables where table_schema = 'public' order by 1";
    sqlx::query_scalar(query).fetch_all(&mut db).await.unwrap()
}

async fn migrate(options: PgConnectOptions) {
    MIGRATOR.run(&PgPool::connect_lazy_with(options)).await.unwrap();
}

#[tokio::test]
async fn nodes_that_start_together_on_an_empty_database_migrate_it_once() {
    let migrated = database().await;
    let mut db = migrated.acquire().await.unwrap();
    let empty = format!("{}_empty", migrated.options().get_database().unwrap());
    db.execute(AssertSqlSafe(format!("create database {empty}"))).await.unwrap();
    let options = migrated.options().database(&empty);
    let nodes = [options.clone(), options.clone(), options.clone()].map(|node| tokio::spawn(migrate(node)));
    for node in nodes {
        node.await.unwrap();
    }
    assert_eq!(tables(&options).await, tables(&migrated.options()).await);
    db.execute(AssertSqlSafe(format!("drop database {empty} with (force)"))).await.unwrap();
}

#[tokio::test]
async fn each_test_has_a_database_of_its_own() {
    let (one, two) = (database().await, database().await);
    one.execute("create table mine (value int)").await.unwrap();
    assert!(tables(&one.options()).await.contains(&"mine".to_owned()));
    assert!(!tables(&two.options()).await.contains(&"mine".to_owned()));
}

/// The build reads what `make sqlx` wrote there; after a migration that changes what a query gives, it has to be written anew.
#[tokio::test]
async fn the_query_cache_says_what_the_database_says() {
    let migrated = database().await;
    let mut db = migrated.acquire().await.unwrap();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(".sqlx");
    let mut files = 0;
    for file in std::fs::read_dir(directory).unwrap() {
        let path = file.unwrap().path();
        let cached: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let query = cached["query"].as_str().unwrap().to_owned();
        let described =
            db.describe(AssertSqlSafe(query.clone()).into_sql_str()).await.unwrap_or_else(|error| panic!("{error}: {query}"));
        let described = serde_json::to_value(&described).unwrap();
        // Which columns of outer joins may be null is read out of a plan, which depends on more than the schema.
        for part in ["columns", "parameters"] {
            assert_eq!(cached["describe"][part], described[part], "run make sqlx and commit the result: {query}");
        }
        files += 1;
    }
    assert!(files > 100, "{files}");
}
