//! The schema, as nodes that start bring it about.

use pillarbox::store::MIGRATOR;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool};
use sqlx::{AssertSqlSafe, Connection, Executor};

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
