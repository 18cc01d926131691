//! The result does not depend on how octets are split.

use super::*;

/// What a peer may send, in an order that makes sense at times.
fn scripts() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => Just("EHLO a.example\r\n"),
        6 => Just("MAIL FROM:<a@example.net>\r\n"),
        8 => Just("RCPT TO:<alice@example.org>\r\n"),
        8 => Just("MAIL FROM:<>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n"),
        6 => Just("DATA\r\n"),
        6 => Just("BDAT 6\r\na\r\n.\r\n"),
        4 => Just("BDAT 12 LAST\r\nDATA\r\nBDAT 9"),
        4 => Just("MAIL FROM:<> BODY=BINARYMIME\r\nRCPT TO:<bob@example.org>\r\nBDAT 3\r\n\r\n.BDAT 3 LAST\r\n\r\nx"),
        3 => Just("BDAT 0 LAST\r\n"),
        2 => Just("BDAT 5 FIRST\r\nRSET\r"),
        1 => Just("BDAT x\r\n"),
        2 => Just("RSET\r\n"),
        8 => Just("text\r\n"),
        8 => Just(".\r\n"),
        3 => Just("..\r\n"),
        2 => Just("\n.\r\n"),
        2 => Just("\r\n.\n"),
        2 => Just("\r"),
        2 => Just("NOOP\n"),
        1 => Just("\0\r\n"),
    ];
    proptest::collection::vec(piece, 0..40)
        .prop_map(|pieces| [&["EHLO a.example\r\n"][..], &pieces, &["\r\n.\r\nQUIT\r\n"]].concat().concat().into_bytes())
}

/// All replies and all messages, where the octets come in these pieces.
async fn outcome(octets: &[u8], size: usize) -> (String, Vec<Vec<u8>>) {
    let mut peer = greeted(settings()).await;
    for piece in octets.chunks(size) {
        // A session that ended reads no more.
        if peer.stream.write_all(piece).await.is_err() {
            break;
        }
        tokio::task::yield_now().await;
    }
    let rest = peer.rest().await;
    // Names of messages differ from run to run.
    let replies = rest.lines().map(|line| line.split(" Stored as").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    (replies, peer.kept.contents())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn packets_do_not_matter(octets in scripts(), size in 1_usize..20) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (whole, split) = runtime.block_on(async { (outcome(&octets, octets.len()).await, outcome(&octets, size).await) });
        prop_assert_eq!(whole, split);
    }
}
