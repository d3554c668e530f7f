//! Ways to an agent: over TCP, with TLS or without, and by a Unix socket.

use std::{
    error::Error,
    io,
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use hyper_util::{
    client::legacy::connect::{Connected, Connection, HttpConnector},
    rt::TokioIo,
};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::UnixStream,
};
use tokio_rustls::TlsConnector;
use tower_service::Service;

use super::tls;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(3);

type Failed = Box<dyn Error + Send + Sync>;

/// A way to an agent.
#[derive(Clone)]
pub(super) enum Connector {
    Tcp(HttpConnector),
    Tls(HttpConnector, TlsConnector),
    Unix(Arc<Path>),
}

impl Connector {
    pub(super) fn tcp() -> Connector {
        Connector::Tcp(http_connector())
    }

    pub(super) fn tls(settings: Arc<ClientConfig>) -> Connector {
        let mut connector = http_connector();
        // It brings the octets only.
        connector.enforce_http(false);
        Connector::Tls(connector, settings.into())
    }

    pub(super) fn unix(path: &str) -> Connector {
        Connector::Unix(Path::new(path).into())
    }

    async fn connect(self, uri: Uri) -> Result<Stream, Failed> {
        Ok(Stream(match self {
            Connector::Tcp(mut connector) => Box::pin(connector.call(uri).await?.into_inner()),
            Connector::Tls(mut connector, tls) => {
                let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
                let name = ServerName::try_from(host)?;
                let stream = connector.call(uri).await?.into_inner();
                Box::pin(tls.connect(name, stream).await?)
            }
            Connector::Unix(path) => Box::pin(UnixStream::connect(&path).await?),
        }))
    }
}

fn http_connector() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(CONNECT));
    connector
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = Failed;
    type Future = Pin<Box<dyn Future<Output = Result<TokioIo<Stream>, Failed>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move { connector.connect(uri).await.map(TokioIo::new) })
    }
}

/// Why no agent was reached.
#[derive(Debug)]
pub(super) enum Cause {
    /// Something is there, and TLS does not come about with it; the text says what to do.
    Tls(String),
    Other(String),
}

impl Cause {
    /// Of nested errors the innermost: the one that TLS or the system gave.
    pub(super) fn of(error: &(dyn Error + 'static)) -> Cause {
        let mut innermost = error;
        loop {
            if let Some(cause) = innermost.downcast_ref().and_then(tls_error) {
                return Cause::Tls(cause);
            }
            match innermost.source() {
                Some(source) => innermost = source,
                None => return Cause::Other(innermost.to_string()),
            }
        }
    }
}

fn tls_error(error: &io::Error) -> Option<String> {
    error.get_ref()?.downcast_ref().map(tls::explain)
}

/// A connection of whatever kind.
pub(super) struct Stream(Pin<Box<dyn ReadWrite>>);

trait ReadWrite: AsyncRead + AsyncWrite + Send {}

impl<T: AsyncRead + AsyncWrite + Send> ReadWrite for T {}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        self.0.as_mut().poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_shutdown(context)
    }
}
