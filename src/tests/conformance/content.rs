//! What is between DATA and the end is kept octet for octet (RFC 5321 sections 2.3.1, 4.5.2, 6.1).

use super::*;

#[tokio::test]
async fn content_is_kept_octet_for_octet() {
    let mut examined = Examined::new().await;
    let every: Vec<u8> = (0..=255).collect();
    let head = b"From: a@example.net\r\nSubject: x\r\n\r\n".as_slice();
    let lines = |length: usize, count: usize| [vec![b'x'; length], b"\r\n".to_vec()].concat().repeat(count);
    let contents: Vec<(&str, Vec<u8>)> = vec![
        ("5321 4.5.2, nothing at all", Vec::new()),
        ("5321 4.5.2, one line end", b"\r\n".to_vec()),
        ("5321 4.5.2, dots", b".\r\n..\r\n...\r\n.a\r\na.\r\n. \r\n.\r\n".to_vec()),
        ("5321 4.5.2, a dot in the header section", [b".Subject: x\r\n", head].concat()),
        ("5321 4.5.3.1.6, 998 octets in a line", [head, &lines(998, 3)].concat()),
        ("5321 4.5.3.1.6, 1000 octets and more, whole", [head, &lines(999, 1), &lines(5000, 1), &lines(100_000, 1)].concat()),
        ("6152, every octet", [head, &every, b"\r\n"].concat()),
        ("5321 4.5.2, NUL", [head, b"a\0b\0\0\r\n"].concat()),
        ("5321 4.5.3.1.7, 64 KiB", [head, &lines(70, 910)].concat()),
        ("5321 4.5.3.1.7, 1 MiB", [head, &lines(70, 14_564)].concat()),
        ("5321 4.4, the order of fields and their folding", {
            b"B: 2\r\nA: 1\r\n\tfolded\r\n  twice\r\nB: 3\r\nx-lower:no space\r\nEmpty:\r\n\r\nbody\r\n".to_vec()
        }),
        ("5322 2.1, no header section", b"just text\r\n".to_vec()),
        ("5322 2.1, no body", b"Subject: x\r\n".to_vec()),
        ("5321 4.1.1.4, bare line ends are content", [head, b"a\nb\rc\n\rd\r\r\ne\n\n\r\n"].concat()),
        ("5321 4.5.2, space at the end", [head, b"a \t \r\n\t\r\n"].concat()),
        ("4155, a line that begins with From", [head, b"From x\r\n>From y\r\n"].concat()),
        ("5321 4.4, forged trace fields stay where they are", {
            b"Return-Path: <forged@example.net>\r\nAuthentication-Results: mx.example.org; dmarc=pass\r\n\r\nx\r\n".to_vec()
        }),
        ("header flood, 20,000 fields", [b"X: y\r\n".repeat(20_000), b"\r\nx\r\n".to_vec()].concat()),
        ("header flood, one field of 1 MiB", [b"X: ".to_vec(), vec![b'y'; 1 << 20], b"\r\n\r\nx\r\n".to_vec()].concat()),
        ("header flood, 100,000 folds", [b"X: y\r\n".to_vec(), b" z\r\n".repeat(100_000), b"\r\nx\r\n".to_vec()].concat()),
    ];
    let mut peer = examined.hello().await;
    for (rule, content) in &contents {
        let reply = peer.deliver(&["alice@example.org"], &stuffed(content)).await;
        if !reply.starts_with("250 2.0.0 ") {
            examined.fault(rule, content, &reply);
        }
    }
    let stored = examined.stored().await;
    assert_eq!(stored.len(), contents.len(), "each once");
    for ((rule, content), (octets, ..)) in contents.iter().zip(&stored) {
        if octets != content {
            examined.fault(rule, content, &format!("stored as {} octets of {}", octets.len(), content.len()));
        }
    }
    assert_eq!(examined.server.subjects("alice@example.org").await.len(), contents.len(), "all are listed");
    examined.passed();
}

#[tokio::test]
async fn a_message_ends_the_same_however_it_is_cut_into_packets() {
    let examined = Examined::new().await;
    let content = b"Subject: cut\r\n\r\n.one\r\n..\r\n\r\n.\n\n.\r\r\n".as_slice();
    let sent = [&stuffed(content), b".\r\nNOOP\r\n".as_slice()].concat();
    let mut count = 0;
    for cut in 0..=sent.len() {
        let mut peer = examined.hello().await;
        peer.dialogue(&[MAIL, RCPT, DATA]).await;
        peer.send(&sent[..cut]).await;
        tokio::task::yield_now().await;
        peer.send(&sent[cut..]).await;
        peer.expect("250 2.0.0 Stored").await;
        peer.expect("250 2.0.0 OK").await;
        count += 1;
    }
    let stored = examined.stored().await;
    assert_eq!(stored.len(), count);
    assert!(stored.iter().all(|message| message.0 == content), "RFC 5321 4.1.1.4");
}

#[tokio::test]
async fn bombs_are_one_message_each_and_cost_little() {
    let examined = Examined::new().await;
    let nested = |depth: usize| {
        let mut out = b"From: a@example.net\r\nMIME-Version: 1.0\r\n".to_vec();
        for n in 0..depth {
            out.extend(format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n").into_bytes());
        }
        [out, b"Content-Type: text/plain\r\n\r\ninnermost\r\n".to_vec()].concat()
    };
    let parts = |count: usize| {
        let head = b"From: a@example.net\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n".to_vec();
        [head, b"--b\r\nContent-Type: text/html\r\n\r\n<p>x\r\n".repeat(count), b"--b--\r\n".to_vec()].concat()
    };
    let html = |body: String| format!("From: a@example.net\r\nContent-Type: text/html\r\n\r\n{body}\r\n").into_bytes();
    let words = format!("Subject: {}\r\n\r\nx\r\n", "=?utf-8?b?8J+YgA==?= ".repeat(20_000));
    let to = format!("From: a@example.net\r\nTo: {}x@example.net\r\n\r\nx\r\n", "<\"(".repeat(50_000));
    let bombs = [
        nested(1000),
        parts(5000),
        html("<div>".repeat(60_000)),
        html("<table><tr><td>".repeat(20_000)),
        html(format!("<style>{}</style>", "a{b:c}".repeat(50_000))),
        html("&lt;".repeat(200_000)),
        words.into_bytes(),
        to.into_bytes(),
    ];
    let mut peer = examined.hello().await;
    for (n, bomb) in bombs.iter().enumerate() {
        peer.dialogue(&[MAIL, RCPT, DATA]).await;
        peer.send([&stuffed(bomb), b".\r\n".as_slice()].concat()).await;
        // Unoptimised, on a machine that does much else, this may take seconds; what is quadratic takes minutes.
        let reply = peer.reply_within(std::time::Duration::from_mins(1)).await;
        assert!(reply.starts_with("250 2.0.0 "), "bomb {n}: {reply}");
    }
    let stored = examined.stored().await;
    assert!(stored.iter().map(|message| message.0.as_slice()).eq(bombs.iter().map(Vec::as_slice)));
    assert!(peer.deliver(&["alice@example.org"], b"Subject: innocent\r\n\r\nx\r\n").await.starts_with("250 "));
    assert_eq!(examined.server.subjects("alice@example.org").await[0], "innocent");
}
