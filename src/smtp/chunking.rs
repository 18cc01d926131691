//! BDAT: a message in chunks of known size (RFC 3030 section 2).

use bytes::Buf as _;
use tokio::io::{AsyncRead, AsyncWrite};

use super::content::Content;
use super::intake::Intake;
use super::record::Stage;
use super::reply;
use super::reply::Reply;
use super::session::Session;
use super::transaction::{Chunks, refuse};
use super::wire::{Ended, Waiting};

/// What BDAT says of the octets that follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Chunk {
    octets: u64,
    /// `None` where the word after the size is not `LAST`.
    is_last: Option<bool>,
}

/// `None` where the size cannot be told, so that nothing can be taken for a chunk. A number beyond 64 bits is the largest there.
fn read(argument: &str) -> Option<Chunk> {
    let (size, rest) = argument.split_once(' ').unwrap_or((argument, ""));
    if size.is_empty() || !size.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let is_last = match rest.trim_start_matches(' ') {
        "" => Some(false),
        word if word.eq_ignore_ascii_case("LAST") => Some(true),
        _ => None,
    };
    Some(Chunk { octets: size.parse().unwrap_or(u64::MAX), is_last })
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send, I: Intake> Session<S, I> {
    /// BDAT: takes a chunk, and after the last one hands the message on. The octets of a chunk that is refused are read all the
    /// same, since the peer sends them without asking.
    pub(super) async fn bdat(&mut self, argument: &str) -> Result<Reply, Ended> {
        let Some(chunk) = read(argument) else { return Ok(reply::BAD_CHUNK) };
        let (content, is_last) = match (self.take_content(), chunk.is_last) {
            (Ok(content), Some(is_last)) => (content, is_last),
            (Ok(content), None) => {
                self.put_back(content);
                self.receive_chunk(chunk.octets, None).await?;
                return Ok(reply::BAD_CHUNK);
            }
            (Err(refusal), is_last) => {
                self.receive_chunk(chunk.octets, None).await?;
                if is_last == Some(true) {
                    self.transaction.take_if(|transaction| transaction.is_refused());
                }
                return Ok(refusal);
            }
        };
        self.record.reached(Stage::Data);
        let mut content = content.unwrap_or_else(|| Box::new(Content::new(self.shared.room.clone())));
        self.receive_chunk(chunk.octets, Some(&mut content)).await?;
        match &mut self.transaction {
            Some(_) if is_last => match self.transaction.take() {
                Some(transaction) => self.finish(transaction, *content).await,
                None => Ok(reply::MAIL_FIRST),
            },
            Some(transaction) => Ok(match content.overflow() {
                None => {
                    transaction.chunks = Chunks::Open(content);
                    Reply::chunk(chunk.octets)
                }
                Some(overflow) => {
                    let reply = refuse(transaction, overflow.into());
                    transaction.chunks = Chunks::Refused(reply.clone());
                    reply
                }
            }),
            None => Ok(reply::MAIL_FIRST),
        }
    }

    /// The content that a chunk may be added to, where one came before, or why no chunk may come now.
    fn take_content(&mut self) -> Result<Option<Box<Content>>, Reply> {
        let Some(transaction) = &mut self.transaction else {
            return Err(if self.hello.is_none() { reply::HELLO_FIRST } else { reply::MAIL_FIRST });
        };
        if transaction.recipients.is_empty() {
            return Err(reply::NO_RECIPIENTS);
        }
        match std::mem::replace(&mut transaction.chunks, Chunks::None) {
            Chunks::None => Ok(None),
            Chunks::Open(content) => Ok(Some(content)),
            Chunks::Refused(reply) => {
                transaction.chunks = Chunks::Refused(reply.clone());
                Err(reply)
            }
        }
    }

    fn put_back(&mut self, content: Option<Box<Content>>) {
        if let (Some(transaction), Some(content)) = (&mut self.transaction, content) {
            transaction.chunks = Chunks::Open(content);
        }
    }

    /// Reads the octets of a chunk; without content they are thrown away.
    async fn receive_chunk(&mut self, octets: u64, mut content: Option<&mut Content>) -> Result<(), Ended> {
        let mut left = octets;
        while left > 0 {
            if self.wire.input.is_empty() {
                let so_far = usize::try_from(octets - left).unwrap_or(usize::MAX);
                self.wait(Waiting::ForData { so_far }).await?;
            }
            let here = usize::try_from(left).unwrap_or(usize::MAX).min(self.wire.input.len());
            if let Some(content) = &mut content {
                content.make_room(here).await;
                content.push(self.wire.input.get(..here).unwrap_or_default());
            }
            self.wire.input.advance(here);
            left -= here as u64;
        }
        self.wire.release_room();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_argument_is_a_size_and_perhaps_last() {
        for (argument, expected) in [
            ("0", Some((0, Some(false)))),
            ("10", Some((10, Some(false)))),
            ("010 last", Some((10, Some(true)))),
            ("86  LAST", Some((86, Some(true)))),
            ("18446744073709551616 LAST", Some((u64::MAX, Some(true)))),
            ("5 FIRST", Some((5, None))),
            ("5 LAST LAST", Some((5, None))),
            ("", None),
            ("LAST", None),
            ("-1", None),
            ("+1", None),
            ("0x10", None),
            ("1k LAST", None),
        ] {
            let expected = expected.map(|(octets, is_last)| Chunk { octets, is_last });
            assert_eq!(read(argument), expected, "{argument}");
        }
    }
}
