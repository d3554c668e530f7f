//! A question put to an upstream, and what makes an answer one to it.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UdpSocket},
};

use crate::dns::reply::{HEADER, end_of_question};

/// Octets of an answer over UDP. No client says that it takes more than this, which is the largest that there is.
const ANSWER: usize = 65_535;

/// A question on its way to an upstream.
pub(super) struct Exchange {
    upstream: SocketAddr,
    /// The client's query, under an id of its own.
    query: Vec<u8>,
}

impl Exchange {
    pub(super) fn new(query: &[u8], upstream: SocketAddr) -> Self {
        let mut query = query.to_vec();
        #[expect(clippy::disallowed_methods, reason = "the shell draws: an id is not to be foreseen")]
        let id: u16 = rand::random();
        query[..2].copy_from_slice(&id.to_be_bytes());
        Exchange { upstream, query }
    }

    /// Puts it in a packet, and waits for the answer; what is none is passed over.
    pub(super) async fn over_udp(&self) -> io::Result<Vec<u8>> {
        let any: SocketAddr = match self.upstream {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(any).await?;
        // Whatever comes from elsewhere is dropped by the system.
        socket.connect(self.upstream).await?;
        socket.send(&self.query).await?;
        let mut buffer = vec![0; ANSWER];
        loop {
            let length = socket.recv(&mut buffer).await?;
            if self.is_answered_by(&buffer[..length]) {
                buffer.truncate(length);
                buffer.shrink_to_fit();
                return Ok(buffer);
            }
        }
    }

    /// Puts it over a connection of its own (RFC 7766).
    pub(super) async fn over_tcp(&self) -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(self.upstream).await?;
        stream.set_nodelay(true)?;
        let length = u16::try_from(self.query.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        stream.write_all(&[&length.to_be_bytes()[..], &self.query].concat()).await?;
        let mut answer = vec![0; stream.read_u16().await?.into()];
        stream.read_exact(&mut answer).await?;
        if self.is_answered_by(&answer) {
            Ok(answer)
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidData, "it answers another question"))
        }
    }

    /// A response with this id to this question (RFC 5452, 9.1). Upstreams may change the case of the name.
    fn is_answered_by(&self, answer: &[u8]) -> bool {
        if answer.len() < HEADER || answer[..2] != self.query[..2] || answer[2] & 0x80 == 0 {
            return false;
        }
        // A format error may come without the question (RFC 1035, 4.1.1 leaves it open).
        if answer[4..6] == [0, 0] {
            return answer[3] & 0x0f != 0;
        }
        match (end_of_question(&self.query), end_of_question(answer)) {
            (Some(end), Some(other)) => end == other && answer[HEADER..end].eq_ignore_ascii_case(&self.query[HEADER..end]),
            _ => false,
        }
    }
}
