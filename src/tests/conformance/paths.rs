//! Syntax and lengths of paths, lines and parameters.

use super::*;

#[tokio::test]
async fn senders_are_read_strictly() {
    let mut examined = Examined::new().await;
    let local = "l".repeat(64);
    let domain = format!("{}.{}.{}.org", "d".repeat(60), "d".repeat(60), "d".repeat(63));
    let longest = format!("MAIL FROM:<{local}@{domain}>");
    let spaced = format!("MAIL FROM:<a@example.net>{}", " ".repeat(512 - 27));
    let too_long_local = format!("MAIL FROM:<{local}l@example.net>");
    let too_long_domain = format!("MAIL FROM:<a@{}>", vec!["d".repeat(63); 5].join("."));
    let rows = [
        row("5321 4.5.5, the null path", "MAIL FROM:<>", "250 2.1.0 "),
        row("5321 4.1.1.2", "mail from:<a@example.net>", "250 "),
        row("5321 3.3, tolerated", "MAIL FROM: <a@example.net>", "250 /501 "),
        row("5321 4.1.2, quoted", "MAIL FROM:<\"a b\"@example.net>", "250 "),
        row("5321 4.1.2, quoted pair", "MAIL FROM:<\"a\\\"b\"@example.net>", "250 "),
        row("5321 4.1.2, every atext", "MAIL FROM:<!#$%&'*+-/=?^_`{|}~.0@example.net>", "250 "),
        row("5321 4.1.3, literal", "MAIL FROM:<a@[192.0.2.1]>", "250 "),
        row("5321 4.1.3, literal of version 6", "MAIL FROM:<a@[IPv6:2001:db8::1]>", "250 "),
        row("5321 C, source route", "MAIL FROM:<@a.example,@b.example:c@example.net>", "250 "),
        row("5321 4.5.3.1.3, a path of 256 octets", &longest, "250 "),
        row("5321 4.5.3.1.4, a line of 512 octets", &spaced, "250 "),
        row("5321 4.5.3.1.1", &too_long_local, "501 5.1.7 /553 5.1.7 /500 "),
        row("5321 4.5.3.1.2", &too_long_domain, "501 5.1.7 /553 5.1.7 /500 "),
        row("5321 4.1.1.2", "MAIL FROM:a@example.net", "501 5."),
        row("5321 4.1.1.2", "MAIL FROM:", "501 5."),
        row("5321 4.1.1.2", "MAIL", "501 5."),
        row("5321 4.1.1.2", "MAIL FROM <a@example.net>", "501 5."),
        row("5321 4.1.1.2", "MAIL TO:<a@example.net>", "501 5."),
        row("5321 4.1.2", "MAIL FROM:<a@example.net", "501 5."),
        row("5321 4.1.2", "MAIL FROM:<a>", "501 5."),
        row("5321 4.1.2", "MAIL FROM:<@example.net>", "501 5."),
        row("5321 4.1.2", "MAIL FROM:<a@>", "501 5."),
        row("5321 4.1.2", "MAIL FROM:<a@@example.net>", "501 5."),
        row("5321 4.1.2", "MAIL FROM:<a b@example.net>", "501 5."),
        row("5321 4.1.2", "MAIL FROM:<.a@example.net>", "501 5."),
        row("5321 4.1.2", "MAIL FROM:<a..b@example.net>", "501 5."),
        row("5321 4.1.2", "MAIL FROM:<a@example..net>", "501 5."),
        row("5321 4.1.2", "MAIL FROM:<a@-example.net>", "501 5."),
        row("5321 4.1.2", "MAIL FROM:<\"a@example.net>", "501 5."),
        row("5321 4.1.2", "MAIL FROM:<<a@example.net>>", "501 5."),
        row("5321 4.1.2", "MAIL FROM:<a@example.net> >", "501 5."),
        row("5321 4.1.3", "MAIL FROM:<a@[300.0.0.1]>", "501 5."),
        row("5321 4.1.3", "MAIL FROM:<a@[IPv6:x]>", "501 5."),
        row("5321 4.1.2, NUL", b"MAIL FROM:<a\0b@example.net>", "500 5./501 5."),
        row("5321 4.1.2, a control character", b"MAIL FROM:<a\x07b@example.net>", "500 5./501 5."),
        row("5321 4.1.2, a tab", b"MAIL FROM:<a\tb@example.net>", "500 5./501 5."),
        row("5321 2.4, 8 bit without SMTPUTF8", "MAIL FROM:<ü@example.net>", "550 5.6.7 /553 5.6.7 "),
        row("6531 3.3, no UTF-8 at all", b"MAIL FROM:<\xff@example.net> SMTPUTF8", "500 5./501 5./553 5."),
        row("6531 3.3, overlong UTF-8", b"MAIL FROM:<\xc0\xaf@example.net> SMTPUTF8", "500 5./501 5./553 5."),
    ];
    examined.each_alone(&[EHLO], &rows).await;
    examined.passed();
}

#[tokio::test]
async fn parameters_are_read_strictly() {
    let mut examined = Examined::new().await;
    let rows = [
        row("1870 4, no wrap at 2^32", "MAIL FROM:<a@example.net> SIZE=4294967297", "552 5.3.4 "),
        row("1870 4, no wrap at 2^64", "MAIL FROM:<a@example.net> SIZE=18446744073709551617", "552 5.3.4 "),
        row("1870 4, 20 digits", "MAIL FROM:<a@example.net> SIZE=99999999999999999999", "552 5.3.4 "),
        row("1870 4, 21 digits", "MAIL FROM:<a@example.net> SIZE=999999999999999999999", "501 5.5.4 "),
        row("1870 4", "MAIL FROM:<a@example.net> SIZE=", "501 5.5.4 "),
        row("1870 4", "MAIL FROM:<a@example.net> SIZE=-1", "501 5.5.4 "),
        row("1870 4", "MAIL FROM:<a@example.net> SIZE=0x10", "501 5.5.4 "),
        row("1870 4", "MAIL FROM:<a@example.net> SIZE", "501 5.5.4 "),
        row("1870 6.1, zero means unknown", "MAIL FROM:<a@example.net> SIZE=0", "250 "),
        row("5321 4.1.1.11", "MAIL FROM:<a@example.net> SIZE=1 SIZE=2", "501 5.5.4 "),
        row("6152", "MAIL FROM:<a@example.net> BODY=9BIT", "501 5.5.4 "),
        row("6152", "MAIL FROM:<a@example.net> BODY", "501 5.5.4 "),
        row("6531 3.4", "MAIL FROM:<a@example.net> SMTPUTF8=yes", "501 5.5.4 "),
        row("5321 4.1.2", "MAIL FROM:<a@example.net> =x", "501 5.5.4 "),
        row("5321 4.1.2", "MAIL FROM:<a@example.net> X=Y=Z", "501 5.5.4 /555 5.5.4 "),
        row("5321 4.1.1.11", "MAIL FROM:<a@example.net> X-NEW", "555 5.5.4 "),
        row("5321 4.1.2", "MAIL FROM:<a@example.net>SIZE=1", "501 5.5."),
        row("5321 2.4, any case, any order", "MAIL FROM:<a@example.net> smtpUTF8 Body=8bitMIME size=10", "250 "),
    ];
    examined.each_alone(&[EHLO], &rows).await;
    examined.passed();
}

#[tokio::test]
async fn a_line_of_any_length_is_one_command() {
    let mut examined = Examined::new().await;
    let rows = [
        row("5321 4.5.3.1.4", format!("NOOP {}", "x".repeat(505)), "250 "),
        row("5321 4.5.3.1.9, 100 kB", format!("NOOP {}", "x".repeat(100_000)), "500 5.5.6 /250 "),
        row("5321 4.5.3.1.9", format!("MAIL FROM:<{}@example.net>", "x".repeat(100_000)), "500 5.5.6 /501 "),
        row("5321 2.3.8, LF inside", "NOOP\nNOOP", "500 5.5.2 "),
        row("5321 2.3.8, CR inside", "NOOP\rNOOP", "500 5.5.2 "),
        row("5321 2.3.8, LF before the end", "NOOP\n", "500 5.5.2 "),
        row("5321 2.3.8, CR before the end", "NOOP\r", "500 5.5.2 "),
        row("5321 4.1.1, NUL", b"NOOP\0", "500 5.5.2 "),
        row("5321 2.4, 8 bit", b"NOOP \xff\xfe", "500 5.5.2 /250 "),
        row("5321 4.1.1, a space before", " NOOP", "500 5."),
    ];
    examined.each_alone(&[EHLO], &rows).await;
    examined.passed();
}
