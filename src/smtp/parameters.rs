//! Parameters of MAIL and RCPT (RFC 5321 section 4.1.2). Only what EHLO announces is known.

use super::reply::{BAD_PARAMETER, MESSAGE_TOO_LARGE, Reply, UNKNOWN_PARAMETER};

/// What the parameters of MAIL say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct MailParameters {
    /// The transaction has UTF-8 in addresses or header fields (RFC 6531).
    pub(super) smtputf8: bool,
    /// The content has octets of any kind in lines of any length, so it comes in chunks (BINARYMIME, RFC 3030).
    pub(super) binary: bool,
    /// The message goes over verified TLS only (RFC 8689).
    pub(super) require_tls: bool,
}

/// Reads what follows the path of MAIL, against the largest message that is taken. REQUIRETLS is known only where the session
/// is encrypted.
pub(super) fn of_mail(text: &str, max_message_octets: usize, encrypted: bool) -> Result<MailParameters, Reply> {
    let (mut parameters, mut has_size, mut has_body) = (MailParameters::default(), false, false);
    for parameter in split(text)? {
        let (keyword, value) = parameter?;
        match (keyword.to_ascii_uppercase().as_str(), value) {
            ("SIZE", Some(size)) if !has_size => {
                check_size(size, max_message_octets)?;
                has_size = true;
            }
            ("BODY", Some(body)) if !has_body => {
                if !["7BIT", "8BITMIME", "BINARYMIME"].iter().any(|known| body.eq_ignore_ascii_case(known)) {
                    return Err(BAD_PARAMETER);
                }
                parameters.binary = body.eq_ignore_ascii_case("BINARYMIME");
                has_body = true;
            }
            ("SMTPUTF8", None) if !parameters.smtputf8 => parameters.smtputf8 = true,
            ("REQUIRETLS", _) if !encrypted => return Err(UNKNOWN_PARAMETER),
            ("REQUIRETLS", None) if !parameters.require_tls => parameters.require_tls = true,
            ("SIZE" | "BODY" | "SMTPUTF8" | "REQUIRETLS", _) => return Err(BAD_PARAMETER),
            _ => return Err(UNKNOWN_PARAMETER),
        }
    }
    Ok(parameters)
}

/// Reads what follows the path of RCPT; no parameter is known.
pub(super) fn of_rcpt(text: &str) -> Result<(), Reply> {
    match split(text)?.next() {
        None => Ok(()),
        Some(parameter) => parameter.and(Err(UNKNOWN_PARAMETER)),
    }
}

/// At most 20 digits (RFC 1870 section 4), so a number of 64 bits may not hold it.
fn check_size(text: &str, max_message_octets: usize) -> Result<(), Reply> {
    if text.is_empty() || text.len() > 20 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(BAD_PARAMETER);
    }
    match text.parse::<u128>() {
        Ok(size) if size <= max_message_octets as u128 => Ok(()),
        _ => Err(MESSAGE_TOO_LARGE),
    }
}

type Parameter<'a> = Result<(&'a str, Option<&'a str>), Reply>;

/// Splits `KEY=value KEY …`, each after at least one space.
fn split(text: &str) -> Result<impl Iterator<Item = Parameter<'_>>, Reply> {
    if !text.is_empty() && !text.starts_with(' ') {
        return Err(BAD_PARAMETER);
    }
    Ok(text.split(' ').filter(|word| !word.is_empty()).map(|word| {
        let (keyword, value) = word.split_once('=').map_or((word, None), |(keyword, value)| (keyword, Some(value)));
        let keyword_ok = keyword.starts_with(|c: char| c.is_ascii_alphanumeric())
            && keyword.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let value_ok = value.is_none_or(|v| !v.is_empty() && v.bytes().all(|b| b != b'=' && (b.is_ascii_graphic() || b >= 0x80)));
        if keyword_ok && value_ok { Ok((keyword, value)) } else { Err(BAD_PARAMETER) }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn announced_parameters_are_read() {
        for (text, smtputf8) in [
            ("", false),
            (" SIZE=1000", false),
            (" size=0 body=8bitmime", false),
            ("  BODY=7BIT  SMTPUTF8", true),
            (" SMTPUTF8 SIZE=00000000000000001000", true),
        ] {
            assert_eq!(of_mail(text, 1000, false), Ok(MailParameters { smtputf8, ..MailParameters::default() }), "{text}");
        }
        let binary = MailParameters { binary: true, ..MailParameters::default() };
        assert_eq!(of_mail(" BODY=binarymime", 1000, false), Ok(binary));
        assert_eq!(of_mail(" REQUIRETLS BODY=BINARYMIME", 1000, true), Ok(MailParameters { require_tls: true, ..binary }));
        assert_eq!(of_rcpt(""), Ok(()));
        assert_eq!(of_rcpt(" "), Ok(()));
    }

    #[test]
    fn wrong_ones_are_refused_each_with_its_reply() {
        for (text, reply) in [
            (" SIZE=1001", MESSAGE_TOO_LARGE),
            (" SIZE=4294967296", MESSAGE_TOO_LARGE),
            (" SIZE=18446744073709551617", MESSAGE_TOO_LARGE),
            (" SIZE=99999999999999999999", MESSAGE_TOO_LARGE),
            (" SIZE=999999999999999999999", BAD_PARAMETER),
            (" SIZE=", BAD_PARAMETER),
            (" SIZE", BAD_PARAMETER),
            (" SIZE=-1", BAD_PARAMETER),
            (" SIZE=1 SIZE=1", BAD_PARAMETER),
            (" BODY=BASE64", BAD_PARAMETER),
            (" BODY", BAD_PARAMETER),
            (" BODY=7BIT BODY=7BIT", BAD_PARAMETER),
            (" SMTPUTF8=1", BAD_PARAMETER),
            (" SMTPUTF8 SMTPUTF8", BAD_PARAMETER),
            (" A=B=C", BAD_PARAMETER),
            (" =", BAD_PARAMETER),
            (" >", BAD_PARAMETER),
            ("SIZE=1", BAD_PARAMETER),
            (">", BAD_PARAMETER),
            (" RET=FULL", UNKNOWN_PARAMETER),
            (" AUTH=<>", UNKNOWN_PARAMETER),
            (" REQUIRETLS", UNKNOWN_PARAMETER),
            (" X-Y", UNKNOWN_PARAMETER),
        ] {
            assert_eq!(of_mail(text, 1000, false), Err(reply), "{text}");
        }
        assert_eq!(of_mail(" REQUIRETLS=1", 1000, true), Err(BAD_PARAMETER));
        assert_eq!(of_mail(" REQUIRETLS REQUIRETLS", 1000, true), Err(BAD_PARAMETER));
        assert_eq!(of_rcpt(" NOTIFY=NEVER"), Err(UNKNOWN_PARAMETER));
        assert_eq!(of_rcpt("x"), Err(BAD_PARAMETER));
    }
}
