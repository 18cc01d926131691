//! Who receives: aliases, subdomains, postmaster and abuse, and why an address lands where it does.

use serde_json::{Value, json};

use crate::harness::server::{Server, note};

/// What RCPT hears, then where the mail is, then what `explain_recipient` said before.
async fn explained(server: &Server, address: &str) -> Value {
    let explanation = server.rest.get(&format!("/recipients/{address}/explain")).await.data();
    let heard = server.rcpt(address).await;
    match explanation["reply"].as_str() {
        Some(reply) => assert!(heard.starts_with(reply), "{address}: {heard}, not {reply}"),
        None => assert!(heard.starts_with("250 2.1.5 "), "{address}: {heard}"),
    }
    let decided: Vec<&Value> = explanation["steps"].as_array().unwrap().iter().filter(|step| step["decided"] == true).collect();
    assert_eq!(decided.len(), 1, "{explanation}");
    assert_eq!(decided[0]["step"], explanation["decided_by"], "{explanation}");
    explanation
}

#[tokio::test]
async fn an_alias_delivers_to_each_of_its_mailboxes() {
    let server = Server::start().await;
    for address in ["ann@example.org", "bob@example.org"] {
        server.mailbox(address).await;
    }
    let body = json!({ "address": "Team@example.org", "mailboxes": ["ann@example.org", "bob@example.org"], "note": "us" });
    let alias = server.rest.post("/aliases", body).await.data();
    assert_eq!(alias["address"], "team@example.org");
    server.mail(&["TEAM+news@example.org", "ann@example.org"], note("to the team", "Good day.")).await;
    for address in ["ann@example.org", "bob@example.org"] {
        assert_eq!(server.subjects(address).await, ["to the team"], "{address}");
    }
    assert_eq!(server.newest("bob@example.org").await["recipient"], "team+news@example.org");

    // One that takes no mail keeps the others from none.
    server.rest.patch("/mailboxes/ann@example.org", json!({ "is_active": false })).await.data();
    server.mail(&["team@example.org"], note("second", "Good day.")).await;
    assert_eq!(server.subjects("ann@example.org").await.len(), 1);
    assert_eq!(server.subjects("bob@example.org").await.len(), 2);
    server.rest.delete("/mailboxes/bob@example.org").await.data();
    assert!(server.rcpt("team@example.org").await.starts_with("550 5.2.1 "));

    let changed = server.rest.patch("/aliases/team@example.org", json!({ "mailboxes": ["ann@example.org"] })).await.data();
    assert_eq!(changed["mailboxes"], json!(["ann@example.org"]));
    server.rest.patch("/mailboxes/ann@example.org", json!({ "is_active": true })).await.data();
    assert!(server.rcpt("team@example.org").await.starts_with("250 "));
    assert_eq!(server.rest.all("/aliases?mailbox=ann@example.org", 1).await.len(), 1);
    assert_eq!(server.rest.all("/aliases?domain=example.net", 1).await.len(), 0);
    server.rest.delete("/aliases/team@example.org").await.data();
    assert!(server.rcpt("team@example.org").await.starts_with("550 5.1.1 "));
    server.rest.get("/aliases/team@example.org").await.problem(404, "alias_not_found");
}

#[tokio::test]
async fn an_address_is_a_mailbox_or_an_alias() {
    let server = Server::start().await;
    server.mailbox("ann@example.org").await;
    let new = |address: &str, to: &str| json!({ "address": address, "mailboxes": [to] });
    server.rest.post("/aliases", new("ann@example.org", "ann@example.org")).await.problem(409, "mailbox_exists");
    server.rest.post("/aliases", new("x@example.org", "nobody@example.org")).await.points_at("/mailboxes");
    server.rest.post("/aliases", json!({ "address": "x@example.org", "mailboxes": [] })).await.points_at("/mailboxes");
    server.rest.post("/aliases", new("x@example.net", "ann@example.org")).await.problem(404, "domain_not_found");
    assert!(server.rest.all("/aliases", 50).await.is_empty(), "what was refused left nothing");
    server.rest.post("/aliases", new("x@example.org", "ann@example.org")).await.data();
    server.rest.post("/aliases", new("X@example.org", "ann@example.org")).await.problem(409, "alias_exists");
    server.rest.post("/mailboxes", json!({ "address": "x@example.org" })).await.problem(409, "alias_exists");
    let batch = server.rest.post("/mailboxes/batch", json!({ "addresses": ["x@example.org", "y@example.org"] })).await.data();
    assert_eq!((&batch[0]["code"], &batch[1]["created"]), (&json!("alias_exists"), &json!(true)));
    // The domain stays while something is in it.
    for address in ["ann@example.org", "y@example.org"] {
        server.rest.delete(&format!("/mailboxes/{address}?permanent=true")).await.data();
    }
    let alias = server.rest.get("/aliases/x@example.org").await.data();
    assert_eq!(alias["mailboxes"], json!([]), "with the mailbox goes its place in the alias");
    server.rest.delete("/domains/example.org").await.problem(409, "domain_in_use");
    server.rest.delete("/aliases/x@example.org").await.data();
    server.rest.delete("/domains/example.org").await.data();
}

#[tokio::test]
async fn a_domain_takes_its_subdomains_where_it_is_told_to() {
    let server = Server::start().await;
    server.mailbox("ann@example.org").await;
    assert!(server.rcpt("ann@any.example.org").await.starts_with("550 5.7.1 "));
    let domain = server.rest.patch("/domains/example.org", json!({ "takes_subdomains": true })).await.data();
    assert_eq!(domain["takes_subdomains"], true);
    for (address, reply) in [
        ("ann@any.example.org", "250 2.1.5 "),
        ("ann+x@deep.er.example.org", "250 2.1.5 "),
        ("nobody@any.example.org", "550 5.1.1 "),
        ("ann@anyexample.org", "550 5.7.1 "),
        ("ann@org.example", "550 5.7.1 "),
    ] {
        let heard = server.rcpt(address).await;
        assert!(heard.starts_with(reply), "{address}: {heard}");
    }
    server.mail(&["ann@shop.example.org"], note("below", "Good day.")).await;
    assert_eq!(server.newest("ann@example.org").await["recipient"], "ann@shop.example.org");

    // A domain of its own is nobody's subdomain.
    server.rest.post("/domains", json!({ "name": "own.example.org" })).await.data();
    assert!(server.rcpt("ann@own.example.org").await.starts_with("550 5.1.1 "));
    assert!(server.rcpt("ann@x.own.example.org").await.starts_with("250 "), "the one above takes what is below it all");
    server.rest.patch("/domains/own.example.org", json!({ "takes_subdomains": true })).await.data();
    assert!(server.rcpt("ann@x.own.example.org").await.starts_with("550 5.1.1 "), "the nearest decides");

    // What is collected lies under the domain, where somebody can make the mailbox.
    server.rest.patch("/domains/example.org", json!({ "unknown": "collect" })).await.data();
    server.mail(&["new+tag@shop.example.org"], note("kept", "Good day.")).await;
    server.mailbox("new@example.org").await;
    assert_eq!(server.subjects("new@example.org").await, ["kept"]);
}

#[tokio::test]
async fn postmaster_and_abuse_land_where_the_domain_says_and_are_never_refused() {
    let server = Server::start().await;
    server.mailbox("desk@example.org").await;
    server.rest.patch("/domains/example.org", json!({ "postmaster": "nobody@example.org" })).await.points_at("/postmaster");
    let domain = server.rest.patch("/domains/example.org", json!({ "postmaster": "desk@example.org" })).await.data();
    assert_eq!(domain["postmaster"], "desk@example.org");
    for address in ["postmaster@example.org", "Abuse@example.org", "abuse+x@example.org", "postmaster"] {
        server.mail(&[address], note(address, "Is anybody there?")).await;
    }
    assert_eq!(server.subjects("desk@example.org").await.len(), 4);
    assert_eq!(explained(&server, "abuse@example.org").await["decided_by"], "postmaster");

    // A mailbox of its own comes first, and where that takes no mail the domain's comes again.
    server.mailbox("abuse@example.org").await;
    server.mail(&["abuse@example.org"], note("own", "Good day.")).await;
    assert_eq!(server.subjects("abuse@example.org").await, ["own"]);
    server.rest.patch("/mailboxes/abuse@example.org", json!({ "is_active": false })).await.data();
    server.mail(&["abuse@example.org"], note("again", "Good day.")).await;
    assert_eq!(server.subjects("desk@example.org").await[0], "again");

    // With nobody left to take it, it is kept in the mailbox that is switched off.
    server.rest.delete("/mailboxes/desk@example.org?permanent=true").await.data();
    assert_eq!(server.rest.all("/domains", 50).await[0]["postmaster"], "collect");
    server.mail(&["abuse@example.org"], note("kept", "Good day.")).await;
    assert_eq!(server.subjects("abuse@example.org").await, ["kept", "own"]);
}

#[tokio::test]
async fn each_landing_is_explained_as_rcpt_decides_it() {
    let server = Server::start().await;
    for address in ["ann@example.org", "all@example.org", "off@example.org"] {
        server.mailbox(address).await;
    }
    server.rest.patch("/mailboxes/off@example.org", json!({ "is_active": false })).await.data();
    server
        .rest
        .post("/aliases", json!({ "address": "sales@example.org", "mailboxes": ["ann@example.org", "off@example.org"] }))
        .await;
    server.rest.post("/aliases", json!({ "address": "dead@example.org", "mailboxes": ["off@example.org"] })).await;
    server.rest.patch("/domains/example.org", json!({ "takes_subdomains": true })).await.data();
    let cases = [
        ("ann@example.org", "mailbox", "delivered", json!(["ann@example.org"])),
        ("sales@example.org", "alias", "delivered", json!(["ann@example.org"])),
        ("ann+x@any.example.org", "base_mailbox", "delivered", json!(["ann@example.org"])),
        ("sales+x@example.org", "base_alias", "delivered", json!(["ann@example.org"])),
        ("off@example.org", "mailbox", "refused", json!([])),
        ("dead@example.org", "alias", "refused", json!([])),
        ("nobody@example.org", "unknown", "refused", json!([])),
        ("postmaster@example.org", "postmaster", "collected", json!(["postmaster@example.org"])),
        ("ann@example.net", "domain", "refused", json!([])),
    ];
    for (address, step, outcome, mailboxes) in cases {
        let said = explained(&server, address).await;
        assert_eq!(
            (&said["decided_by"], &said["outcome"], &said["mailboxes"]),
            (&json!(step), &json!(outcome), &mailboxes),
            "{said}"
        );
    }
    let said = explained(&server, "nobody+x@any.example.org").await;
    let steps: Vec<_> =
        said["steps"].as_array().unwrap().iter().map(|s| (s["step"].as_str().unwrap(), s["finding"].as_str().unwrap())).collect();
    let expected = [
        ("domain", "subdomain"),
        ("mailbox", "missing"),
        ("alias", "missing"),
        ("base_mailbox", "missing"),
        ("base_alias", "missing"),
        ("unknown", "refuses"),
    ];
    assert_eq!(steps, expected);

    server.rest.patch("/domains/example.org", json!({ "unknown": "all@example.org" })).await.data();
    let said = explained(&server, "nobody@example.org").await;
    assert_eq!((&said["outcome"], &said["mailboxes"]), (&json!("delivered"), &json!(["all@example.org"])));
    assert_eq!(explained(&server, "abuse@example.org").await["mailboxes"], json!(["all@example.org"]));
    server.rest.patch("/domains/example.org", json!({ "unknown": "collect" })).await.data();
    for _ in 0..2 {
        let said = explained(&server, "new+x@example.org").await;
        assert_eq!((&said["outcome"], &said["mailboxes"]), (&json!("collected"), &json!(["new@example.org"])));
        server.mail(&["new+x@example.org"], note("kept", "Good day.")).await;
    }
    assert_eq!(server.rest.all("/domains", 50).await[0]["mailbox_count"], 3, "what only collects is nobody's");
}
