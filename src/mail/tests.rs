//! Messages as they come: every character set, every odd tree, and what is read out of each.

use proptest::prelude::*;

use super::attachments::{Disposition, attachment, safe_filename};
use super::limits::Limits;
use super::parse::{Parsed, parse, summary};

/// A message with a From field, further fields and a body; lines end in CRLF.
fn message(fields: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("From: Example <a@example.org>\n{fields}\n").replace('\n', "\r\n");
    [head.as_bytes(), body].concat()
}

fn subject(value: &[u8]) -> String {
    parse(&[b"From: a@example.org\r\nSubject: ", value, b"\r\n\r\n"].concat()).subject
}

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../tests/data/mime/", $name, ".eml"))
    };
}

#[test]
fn every_character_set_is_read() {
    for (raw, expected) in [
        (&fixture!("charset-gbk")[..], "您的验证码是 482913，五分钟内有效。"),
        (fixture!("charset-gb18030"), "您的验证码是 482913，㐀𠀀。"),
        (fixture!("charset-big5"), "您的驗證碼是 482913，五分鐘內有效。"),
        (fixture!("charset-shift-jis"), "認証コードは 482913 です。"),
        (fixture!("charset-iso-2022-jp"), "認証コードは 482913 です。"),
        (fixture!("charset-euc-kr"), "인증번호는 482913 입니다."),
        (fixture!("charset-koi8-r"), "Ваш код подтверждения: 482913"),
        (fixture!("charset-windows-1250"), "Váš kód je 482913, děkujeme"),
        (fixture!("charset-windows-1251"), "Ваш код подтверждения: 482913"),
        (fixture!("charset-windows-1252"), "Votre code — « 482913 » €"),
        (fixture!("charset-windows-1254"), "Doğrulama kodunuz: 482913, teşekkürler"),
        (fixture!("charset-windows-1256"), "رمز التحقق 482913"),
    ] {
        let parsed = parse(raw);
        assert_eq!(parsed.subject, expected);
        assert_eq!(parsed.text.iter().map(|t| t.trim()).collect::<Vec<_>>(), [expected]);
        assert_eq!(parsed.defects, [""; 0]);
    }
}

#[test]
fn a_wrong_or_missing_label_does_not_spoil_the_text() {
    let gbk = b"\xc4\xfa\xba\xc3\xa3\xac\xc4\xfa\xb5\xc4\xd1\xe9\xd6\xa4\xc2\xeb\xca\xc7 482913\xa3\xac\xc7\xeb\xce\xf0\xd7\xaa\xb7\xa2\xa1\xa3";
    for (label, body, expected) in [
        ("utf-8", &gbk[..], "您好，您的验证码是 482913，请勿转发。"),
        ("us-ascii", gbk, "您好，您的验证码是 482913，请勿转发。"),
        ("x-nobody-knows", gbk, "您好，您的验证码是 482913，请勿转发。"),
        ("iso-8859-1", "Überprüfung: 482913".as_bytes(), "Überprüfung: 482913"),
        ("gb2312", "验证码 482913 请勿转发".as_bytes(), "验证码 482913 请勿转发"),
        ("utf-8", b"Stra\xc3\x9fe, Fu\xc3\x9f, gr\xc3\xbc\xc3\x9fe, cut \xc3", "Straße, Fuß, grüße, cut \u{fffd}"),
    ] {
        let parsed = parse(&message(&format!("Content-Type: text/plain; charset={label}\n"), body));
        assert_eq!(parsed.text, [expected], "{label}");
        assert_eq!(parsed.defects, ["A text does not name its character set, or not the one it is in."], "{label}");
    }
    for (label, body, expected) in [
        ("iso-2022-kr", &b"\x1b$)C\x0e@NAu\x0f 482913"[..], "인증 482913"),
        ("hz-gb-2312", b"~{QiV$Bk~} 482913 ~~", "验证码 482913 ~"),
        ("utf-7", b"Hi +ZeU- 482913", "Hi 日 482913"),
        ("UTF-16BE", b"\x00H\x00i", "Hi"),
        ("\"UTF-8\"", "\u{feff}é".as_bytes(), "é"),
    ] {
        let parsed = parse(&message(&format!("Content-Type: text/plain; charset={label}\n"), body));
        assert_eq!(parsed.text, [expected], "{label}");
    }
    let html = b"<html><meta charset=koi8-r><p>\xeb\xcf\xc4 482913";
    assert_eq!(parse(&message("Content-Type: text/html\n", html)).html, ["<html><meta charset=koi8-r><p>Код 482913"]);
}

#[test]
fn subjects_are_decoded_to_one_harmless_line() {
    for (value, expected) in [
        (&b"=?utf-8?B?5byg5A==?= =?utf-8?B?uIk=?="[..], "张三"),
        (b"=?UTF-8?Q?caf=C3?=\r\n =?UTF-8?Q?=A9_482913?=", "café 482913"),
        (b"=?iso-2022-jp?B?GyRCRyc+WhsoQg==?= 482913", "認証 482913"),
        (b"=?iso-2022-jp?B?GyRCJXMlMyE8GyhC?=\r\n =?iso-2022-jp?B?GyRCJUkkchsoQg==?=", "ンコードを"),
        (b"=?utf-8*en?Q?a?= b =?utf-8?q?c?=", "a b c"),
        (b"=?utf-8?Q?a b?=c", "a bc"),
        (b"=?utf-8?X?YQ==?= =?utf-8?B?YQ", "=?utf-8?X?YQ==?= =?utf-8?B?YQ"),
        (b"folded\r\n\t line", "folded line"),
        ("raw ünïcode".as_bytes(), "raw ünïcode"),
        (b"raw latin gr\xfc\xdfe aus K\xf6ln", "raw latin grüße aus Köln"),
        (b"=?utf-8?Q?a=0D=0ABcc:_x=00y=1B[2J?=", "a Bcc: xy[2J"),
        ("\u{202e}321 si edoc\u{202c}".as_bytes(), "321 si edoc"),
        (b"", ""),
    ] {
        assert_eq!(subject(value), expected, "{}", String::from_utf8_lossy(value));
    }
    assert_eq!(subject(&[b'a'; 5000]).len(), 998);
}

#[test]
fn correspondents_are_read_and_never_made_up() {
    let name_and_address = |value: &[u8]| {
        parse(&[b"From: ", value, b"\r\n\r\n"].concat()).from.map(|from| (from.name.unwrap_or_default(), from.address))
    };
    for (value, name, address) in [
        (&b"a@example.org"[..], "", "a@example.org"),
        (b"\"B, \\\"C\\\"\" <b@example.org>", "B, \"C\"", "b@example.org"),
        (b"=?utf-8?B?5byg5A==?= =?utf-8?B?uIk=?= <c@example.org>", "张三", "c@example.org"),
        (
            b"=?utf-8?Q?x@bank.example=2C_=3Cy@bank.example=3E?= <evil@example.org>",
            "x@bank.example, <y@bank.example>",
            "evil@example.org",
        ),
        ("用户 <用户@例え.テスト>".as_bytes(), "用户", "用户@例え.テスト"),
        (b"\"a b\"@example.org", "", "\"a b\"@example.org"),
        (b"Al <\"a b\"@example.org>", "Al", "\"a b\"@example.org"),
        (b"first@example.org, second@example.org", "", "first@example.org"),
        (b"team: d@example.org, e@example.org;", "", "d@example.org"),
        (b"e@example.org (Eve)", "Eve", "e@example.org"),
    ] {
        assert_eq!(name_and_address(value), Some((name.to_owned(), address.to_owned())), "{}", String::from_utf8_lossy(value));
    }
    assert_eq!(name_and_address(b""), None);
    let parsed = parse(b"From: a@example.org\r\nFrom: b@example.org\r\nTo: x@example.org\r\nTo: y@example.org\r\n\r\n");
    assert_eq!(parsed.from.map(|f| f.address).as_deref(), Some("a@example.org"));
    assert_eq!(parsed.to.len(), 2);
    assert_eq!(parsed.defects, ["There is more than one From field; the first readable one is shown."]);
    assert_eq!(parse(b"To: a@example.org\r\n\r\nx").defects, ["There is no From field."]);
}

#[test]
fn dates_and_ids_are_read_or_left_out() {
    for (value, unix) in [
        ("Fri, 20 Nov 2026 10:00:00 +0100", Some(1_795_165_200)),
        ("20 Nov 26 10:00 GMT", Some(1_795_168_800)),
        ("yesterday", None),
        ("Fri, 99 Nov 2026 99:00:00 +0100", None),
        ("Fri, 20 Nov 99999999999999999999 10:00:00 +0100", None),
    ] {
        let parsed = parse(&message(&format!("Date: {value}\n"), b""));
        assert_eq!(parsed.date.map(crate::types::Timestamp::unix), unix, "{value}");
        assert_eq!(parsed.defects.is_empty(), unix.is_some(), "{value}");
    }
    let parsed = parse(&message("Message-ID: <1@x>\nIn-Reply-To: 0@x\nReferences: <a@x>\n <b@x> junk <>\n", b""));
    assert_eq!(
        (parsed.message_id.as_deref(), parsed.in_reply_to, parsed.references),
        (Some("1@x"), vec!["0@x".into()], vec!["a@x".into(), "b@x".into()])
    );
}

#[test]
fn header_fields_keep_their_order_and_duplicates() {
    let parsed =
        parse(b"Received: one\r\nX-A: 1\r\nreceived : two\r\n three\r\nX-\xff: bad\r\nSubject: =?utf-8?Q?a?=\r\n\r\nbody");
    let headers: Vec<_> = parsed.headers.iter().map(|h| (h.name.as_str(), h.value.as_str(), h.raw.as_str())).collect();
    assert_eq!(
        headers,
        [
            ("Received", "one", "one"),
            ("X-A", "1", "1"),
            ("received", "two three", "two\r\n three"),
            ("Subject", "a", "=?utf-8?Q?a?=")
        ]
    );
    assert_eq!(parsed.text, ["body"]);
}

#[test]
fn odd_messages_still_show_what_they_have() {
    let empty: [&str; 0] = [];
    let check = |raw: &[u8], texts: &[&str], defects: &[&str]| {
        let parsed = parse(raw);
        assert_eq!(parsed.text, texts, "{}", String::from_utf8_lossy(raw));
        assert_eq!(parsed.defects, defects, "{}", String::from_utf8_lossy(raw));
    };
    check(b"", &empty, &["The message is empty."]);
    check(b"\r\n", &empty, &["The message has no header section."]);
    check(
        b"just text\r\nmore",
        &["just text\r\nmore"],
        &["The header section ends without an empty line.", "The message has no header section."],
    );
    check(b"From: a@example.org", &empty, &[]);
    check(b"From a Fri Nov 20\r\nFrom: a@example.org\r\n\r\nx", &["x"], &[]);
    check(b"From: a@example.org\nSubject: bare line feeds\n\nx\n", &["x\n"], &[]);
    check(b"From: a@example.org\r\n\r\na\0b", &["ab"], &["The message contains NUL octets."]);
    check(&message("Content-Type: multipart/mixed\n", b"x"), &["x"], &["A multipart has no boundary."]);
    check(
        &message("Content-Type: multipart/mixed; boundary=zz\n", b"x"),
        &["x"],
        &["A multipart has no part that begins with its boundary."],
    );
    check(&message("Content-Type: garbage\n", b"x"), &["x"], &[]);
    check(&message("Content-Transfer-Encoding: base64\n", b"aGVs!bG8\r\n=\r\n"), &["hello"], &[]);
    check(&message("Content-Transfer-Encoding: quoted-printable\n", b"a=3Db=\r\nc=zz  \r\nd="), &["a=bc=zz\r\nd"], &[]);
    check(fixture!("no-end-boundary"), &["inner", "outer without end"], &["A multipart ends without its boundary."]);
}

#[test]
fn all_bodies_are_found_and_the_rest_is_attached() {
    assert_eq!(parse(fixture!("two-html-parts")).html, ["<p>one 111111</p>", "<p>two 222222</p>"]);
    let parsed = parse(fixture!("related-inline-image"));
    assert_eq!((parsed.text.len(), parsed.html.len(), parsed.attachments.len()), (1, 1, 1));
    let image = &parsed.attachments[0];
    assert_eq!(
        (image.content_id.as_deref(), image.disposition, image.served_type()),
        (Some("logo@example.org"), Disposition::Inline, "image/png")
    );
    assert_eq!(image.sha256.len(), 64);

    let options = super::clean::CleanOptions::for_attachments(&parsed.attachments, "/parts/");
    assert_eq!(super::clean::clean_html(&parsed.html[0], &options).html, r#"<p>html <img src="/parts/0"></p>"#);
}

#[test]
fn attachments_have_names_that_are_safe_to_save_under() {
    let raw = fixture!("attachment-names");
    let parsed = parse(raw);
    let names: Vec<_> = parsed.attachments.iter().map(|a| (a.filename.as_str(), a.content_type.as_str())).collect();
    assert_eq!(
        names,
        [
            ("計画.pdf", "application/pdf"),
            ("計画.pdf", "application/octet-stream"),
            ("x.sh", "application/x-sh"),
            ("_NUL.txt", "application/octet-stream"),
            ("invoicefdp.exe", "application/octet-stream"),
            ("café.svg", "image/svg+xml"),
            ("attachment-7.eml", "message/rfc822"),
            ("winmail.dat", "application/ms-tnef"),
            ("attachment-9.ics", "text/calendar"),
        ]
    );
    assert!(parsed.attachments.iter().all(|a| a.served_type() == "application/octet-stream"));
    assert_eq!(parsed.text, ["text"]);
    for (index, meta) in parsed.attachments.iter().enumerate() {
        let body = attachment(raw, index).expect("is there");
        assert_eq!((&body.meta, body.bytes.len() as u64), (meta, meta.size_octets));
    }
    assert_eq!(attachment(raw, 0).expect("is there").bytes, b"1");
    assert_eq!(attachment(raw, parsed.attachments.len()), None);
    for (given, expected) in [
        ("..", ""),
        ("a/..", ".."),
        (".hidden", "hidden"),
        ("a\r\nb.txt", "a b.txt"),
        ("COM1", "_COM1"),
        ("con.tar.gz", "_con.tar.gz"),
        ("a:b|c?.txt", "a_b_c_.txt"),
        ("x. . ", "x"),
    ] {
        assert_eq!(safe_filename(given), if expected == ".." { "" } else { expected }, "{given:?}");
    }
    assert_eq!(safe_filename(&format!("{}.pdf", "é".repeat(400))).chars().count(), 150);
}

#[test]
fn previews_are_short_and_say_something() {
    for (fields, body, expected) in [
        ("", "  Hello,\r\n\r\n  your code\tis 482913 ", "Hello, your code is 482913".to_owned()),
        (
            "Content-Type: text/html\n",
            "<html><head><style>p{}</style></head><body><p>Code &amp; 482913</p></body>",
            "Code & 482913".to_owned(),
        ),
        ("", "\u{200b}\u{feff}\u{200c} x", "x".to_owned()),
        ("", &"ab ".repeat(200), "ab ".repeat(67).trim_end()[..200].trim_end().to_owned()),
    ] {
        assert_eq!(summary(&message(fields, body.as_bytes())).preview, expected);
    }
}

/// Hostile structures, each up to 2 MB.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let nested: String =
        (0..100_000).map(|i| format!("Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}\n")).take(40_000).collect();
    vec![
        ("nested multiparts", nested.into_bytes()),
        ("messages in messages", "Content-Type: message/rfc822\n\n".repeat(65_000).into_bytes()),
        ("parts", message("Content-Type: multipart/mixed; boundary=b\n", "--b\n\nx\n".repeat(200_000).as_bytes())),
        (
            "20000 attachments",
            message("Content-Type: multipart/mixed; boundary=b\n", "--b\nContent-Type: a/b\n\nx\n".repeat(20_000).as_bytes()),
        ),
        (
            "missing boundaries",
            message(
                "Content-Type: multipart/mixed; boundary=b\n",
                "--b\nContent-Type: multipart/x; boundary=z\n\n".repeat(40_000).as_bytes(),
            ),
        ),
        ("header flood", "X-A: b\r\n".repeat(250_000).into_bytes()),
        ("long header", message(&format!("Subject: {}\n", "=?utf-8?q?a?= ".repeat(140_000)), b"")),
        ("open encoded words", message(&format!("Subject: {}?=\n", "=?utf-8?q?".repeat(190_000)), b"")),
        ("parameters", message(&format!("Content-Type: text/plain{}\n", "; a*1=b".repeat(200_000)), b"")),
        ("addresses", message(&format!("To: {}\nCc: {}\n", "a@b.example, ".repeat(19_000), "(\"<".repeat(60_000)), b"")),
        ("octets of no character set", message("", &[0xd6, 0xd0, b' '].repeat(600_000))),
    ]
}

#[test]
fn hostile_structures_are_read_within_limits() {
    for (name, raw) in bombs() {
        let started = std::time::Instant::now();
        let (parsed, summary) = (parse(&raw), summary(&raw));
        // Milliseconds in a release build, hours where something is quadratic.
        assert!(started.elapsed().as_secs() < 10, "{name}: {:?}", started.elapsed());
        assert!(parsed.attachments.len() <= Limits::DEFAULT.parts && parsed.headers.len() <= Limits::DEFAULT.fields, "{name}");
        assert_eq!(parsed.attachments.len(), summary.attachments, "{name}");
    }
    let depth = |levels: usize| {
        let open = |i| format!("Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}\n");
        let open = (0..levels).map(open).collect::<Vec<_>>().concat();
        parse(&message(&format!("{open}\ninnermost\n"), b""))
    };
    assert_eq!(depth(100).text, ["innermost\r\n\r\n"]);
    assert!(depth(200).defects.iter().any(|d| d.contains("nested too deeply")));
}

/// What must hold of any message whatever.
fn assert_sound(raw: &[u8]) -> Result<(), TestCaseError> {
    let (parsed, summary) = (parse(raw), summary(raw));
    let json = serde_json::to_string(&parsed).map_err(|e| TestCaseError::fail(e.to_string()))?;
    prop_assert!(!json.contains("\\u0000"), "NUL in {}", json);
    prop_assert_eq!(serde_json::from_str::<Parsed>(&json).map_err(|e| TestCaseError::fail(e.to_string()))?, parsed.clone());
    prop_assert!(!parsed.subject.chars().any(char::is_control));
    prop_assert!(summary.preview.chars().count() <= 200);
    prop_assert_eq!(
        (&summary.subject, &summary.text, &summary.html, &summary.from),
        (&parsed.subject, &parsed.text, &parsed.html, &parsed.from)
    );
    for (index, meta) in parsed.attachments.iter().enumerate().take(5) {
        let body = attachment(raw, index).ok_or_else(|| TestCaseError::fail("attachment is gone"))?;
        prop_assert_eq!(&body.meta, meta);
        prop_assert!(!meta.filename.is_empty() && !meta.filename.contains(['/', '\\', '\0']) && !meta.filename.starts_with('.'));
    }
    Ok(())
}

const SAMPLES: &[&[u8]] = &[
    fixture!("attachment-names"),
    fixture!("related-inline-image"),
    fixture!("two-html-parts"),
    fixture!("no-end-boundary"),
    fixture!("charset-iso-2022-jp"),
    fixture!("charset-gb18030"),
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_octets_are_read(raw in prop::collection::vec(any::<u8>(), 0..2000)) {
        assert_sound(&raw)?;
    }

    #[test]
    fn any_lines_are_read(lines in prop::collection::vec(prop::sample::select(&[
        "From: =?utf-8?B?", "?=", "Subject: ", "Content-Type: multipart/mixed; boundary=b", "Content-Type: multipart/digest; boundary=\"b\"", "--b", "--b--", "",
        "Content-Type: message/rfc822", "Content-Type: text/html; charset=gbk", "Content-Transfer-Encoding: base64", "Content-Transfer-Encoding: quoted-printable", "AAAA=", "=41=",
        " folded", "Content-Disposition: attachment; filename*=utf-8''%00..%2f", "To: <<a@b>, (\"", "Date: Fri, 20 Nov 2026", "\u{fffd}\0", "Content-Type: text/plain; charset=utf-7", "+AAA-",
    ][..]), 0..60), end in prop::sample::select(&["\r\n", "\n", "\r"][..])) {
        assert_sound(lines.join(end).as_bytes())?;
    }

    #[test]
    fn damaged_messages_are_read(sample in prop::sample::select(SAMPLES), edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..20)) {
        let mut raw = sample.to_vec();
        for (place, octet, kind) in edits {
            let at = place.index(raw.len().max(1)).min(raw.len().saturating_sub(1));
            match kind {
                0 if !raw.is_empty() => raw[at] = octet,
                1 => raw.insert(at, octet),
                2 if !raw.is_empty() => { raw.remove(at); }
                _ => { let tail = raw[at..].to_vec(); raw.extend(tail.into_iter().take(300)); }
            }
        }
        assert_sound(&raw)?;
    }
}
