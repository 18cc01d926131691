//! The promises, as tables: message, expected answer.

use super::*;

fn plain(subject: &str, text: &str) -> Extraction {
    extract(&Input { subject, from_address: Some("no-reply@example.org"), from_name: None, text: &[text], html: &[], rules: &[] })
}

fn markup(subject: &str, html: &str) -> Extraction {
    extract(&Input { subject, from_address: Some("no-reply@example.org"), from_name: None, text: &[], html: &[html], rules: &[] })
}

fn value(found: &Extraction) -> Option<&str> {
    found.code.as_ref().map(|code| code.value.as_str())
}

#[test]
fn labelled_codes_are_found() {
    let table = [
        ("Your verification code is: 789012", "789012"),
        ("Your code is 480215.", "480215"),
        ("验证码：4567", "4567"),
        ("482913 is your code", "482913"),
        ("Your one-time password is 918273. Update your account details at any time.", "918273"),
        ("Order 99812 was placed in 2024.\nYour verification code is 771204. Call 1-555-0100-200.", "771204"),
        ("Use code 123456 to verify your email address.", "123456"),
        ("Your security code: aB3dE9", "aB3dE9"),
        ("Your verification code is 123-456", "123456"),
        ("Your verification code: 482 913\nIt expires in 10 minutes.", "482913"),
        ("G-482913 is your verification code", "482913"),
        ("Enter this code to sign in:\n\n  4 8 2 9 1 3\n", "482913"),
        ("Verification code for your order: 482913", "482913"),
        ("Your sign-in code\n\n8812\n\nThis code expires in 5 minutes.", "8812"),
        ("On your TV, enter the code WDJB-MJHT to link your device.", "WDJB-MJHT"),
        ("Your code: amber-falcon-73\nType it on your new device.", "amber-falcon-73"),
        ("482913 is the login code for you@example.org\n\n@example.org #482913", "482913"),
        ("Your verification code is 111111", "111111"),
        ("Your verification code is 12345678", "12345678"),
        ("*482913* is your one-time password", "482913"),
        ("Hi,\nyour verification\ncode is 482913 and your ticket is 99120.", "482913"),
    ];
    for (text, expected) in table {
        let found = plain("Hello", text);
        assert_eq!(value(&found), Some(expected), "{text}\n{:#?}", found.codes);
    }
}

#[test]
fn what_is_no_code_is_none() {
    let table = [
        "Your order 482913 has shipped.",
        "Invoice no. 2024001 is attached.",
        "Meeting ID: 482 913 771\nPasscode: 482913\nJoin the meeting",
        "Use promo code SAVE20 at checkout.",
        "Call us on +1 555 010 0200 or (555) 010-0200.",
        "The meeting is on 2024-11-20 at 14:30.",
        "verification code: HTML5 guide",
        "Your tracking number is 9400110200.",
        "The door code is 4821.",
        "Your balance is $4821.50",
        "Your card ending in 4821 was charged 1200 EUR.",
        "© 2024 Example Ltd, 123456 Example Street",
        "You have earned 5000 points.",
        "Version 10.0.19045 is out.",
        "Write to 482913@example.org or user482913@example.org",
        "See https://example.org/p/482913 for your code.",
        "Colours: #123456 and #a1b2c3",
        "Wi-Fi password: 48291377",
        "Your PIN was changed on 20241120.",
    ];
    for text in table {
        let found = plain("Hello", text);
        assert_eq!(value(&found), None, "{text}\n{:#?}", found.codes);
    }
}

#[test]
fn markup_is_read_as_it_is_seen() {
    let table = [
        ("<p>Your code is</p><h1><b>482913</b></h1>", "482913"),
        (
            "<p>Verification code</p><table><tr><td>4</td><td>8</td><td>2</td><td>9</td><td>1</td><td>3</td></tr></table>",
            "482913",
        ),
        (
            "<p>Verification code</p><p><span>4</span><span>8</span><span>2</span><span>9</span><span>1</span><span>3</span></p>",
            "482913",
        ),
        ("<div style='display:none'>Your code is 111222</div><p>Your code is <b>482913</b></p>", "482913"),
        (
            "<style>.a{color:#123456}</style><p style='color:#654321'>Your login code: &#52;&#56;&#50;&#57;&#49;&#51;</p>",
            "482913",
        ),
        ("<p>Your verification code:</p><div>48\u{200b}29\u{200b}13</div>", "482913"),
    ];
    for (html, expected) in table {
        let found = markup("Hello", html);
        assert_eq!(value(&found), Some(expected), "{html}\n{:#?}", found.codes);
    }
}

#[test]
fn the_subject_counts() {
    assert_eq!(value(&plain("482913 is your verification code", "Welcome back! Ref 99120.")), Some("482913"));
    assert_eq!(value(&plain("Your sign-in code", "482913")), Some("482913"));
    assert_eq!(value(&plain("Code: 771204", "Your order 482913 ships today.")), Some("771204"));
}

#[test]
fn the_lifetime_is_told() {
    let found = plain("Hi", "Your verification code is 482913. It expires in 10 minutes.");
    assert_eq!(found.code.and_then(|code| code.expires_in_seconds), Some(600));
}

#[test]
fn quoted_codes_are_old() {
    let text = "Your new verification code is 771204.\n\nOn Mon, Jan 1 Someone wrote:\n> Your verification code is 482913.";
    assert_eq!(value(&plain("Hi", text)), Some("771204"));
    assert_eq!(value(&plain("Re: Hi", "Thanks!\n\n> Your verification code is 482913.")), None);
}

#[test]
fn the_one_link_is_found() {
    let html = "<a href='https://example.org/'><img alt='Example' src=x></a><p>Please confirm your email address.</p>\
        <a href='https://click.example.org/verify?token=a8f7d6&amp;u=1' style='background:#06c'>Confirm email</a>\
        <p>Not you? <a href='https://example.org/notme?t=abcdef'>Let us know</a></p>\
        <a href='https://example.org/unsubscribe?u=1'>Unsubscribe</a> <a href='https://example.org/privacy'>Privacy</a>";
    let found = markup("Confirm your email", html);
    let link = found.link.expect("a link");
    assert_eq!(link.url, "https://click.example.org/verify?token=a8f7d6&u=1");
    assert_eq!(link.kind, LinkKind::Verify);
    assert!(link.host_matches_sender);
}

#[test]
fn other_links_are_none() {
    let table = [
        "<p>Your order has shipped.</p><a href='https://example.org/track/a8f7d6e5'>Track order</a><a href='https://example.org/u'>Unsubscribe</a>",
        "<p>Please confirm your order.</p><a href='https://example.org/orders/confirm/99'>Confirm your order</a>",
        "<p>Join us!</p><a href='https://example.org/rsvp?t=abcdef12'>RSVP</a>",
        "<p>New document shared.</p><a href='https://example.org/f/a8f7d6e5'>Open document</a>",
    ];
    for html in table {
        let found = markup("Hello", html);
        assert!(found.link.is_none(), "{html}\n{:#?}", found.links);
    }
}

#[test]
fn bounded_and_safe_on_hostile_input() {
    for piece in ["<div>", "code 123456 ", "123456 ", "1 2 ", "https://a/ ", "<a href='https://x.example/verify'>", "@a #1"] {
        let hostile = piece.repeat(20_000);
        let started = std::time::Instant::now();
        let found = extract(&Input {
            subject: &hostile,
            from_address: None,
            from_name: None,
            text: &[&hostile],
            html: &[&hostile],
            rules: &[],
        });
        assert!(found.codes.len() <= MAX_CANDIDATES && found.links.len() <= MAX_CANDIDATES);
        assert!(started.elapsed().as_secs() < 20, "{piece} took {:?}", started.elapsed());
    }
}
