//! Talking to an agent over HTTP.

mod connect;
mod look;
mod tls;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::{Exit, Failure, output, problem};
use connect::{Cause, Connector};
pub(super) use look::{Look, News};

/// The agent to talk to where none is named.
pub(super) const DEFAULT_AGENT: &str = "http://127.0.0.1:8780";

/// How long a whole answer may take. A leave is answered when peers have confirmed it, within seconds.
const ANSWER: Duration = Duration::from_secs(15);
/// Octets of the largest answer that is read: all instances of a cluster at its limit fit in.
const ANSWER_OCTETS: usize = 256 * 1024 * 1024;

/// Which agent to ask, and how it is reached.
#[derive(Debug, clap::Args)]
pub(super) struct Reach {
    /// Agent to talk to: http://HOST:PORT, https://HOST:PORT, or unix:PATH
    #[arg(long, value_name = "URL", env = super::AGENT_VARIABLE, default_value = DEFAULT_AGENT)]
    pub(super) agent: String,
    /// Authorities (PEM) that may have signed the agent's certificate, for https [default: those of the system]
    #[arg(long, value_name = "FILE", env = super::CA_VARIABLE)]
    ca: Option<PathBuf>,
    /// Certificate (PEM) to show to an agent that wants one
    #[arg(long, value_name = "FILE", env = super::CLIENT_CERTIFICATE_VARIABLE, requires = "client_key")]
    client_certificate: Option<PathBuf>,
    /// Private key (PEM) of that certificate, which nobody but its owner may read
    #[arg(long, value_name = "FILE", env = super::CLIENT_KEY_VARIABLE, requires = "client_certificate")]
    client_key: Option<PathBuf>,
}

/// The API of one agent.
#[derive(Clone)]
pub(super) struct Api {
    /// What stands before the paths of requests.
    base: String,
    /// The agent as people name it.
    shown: String,
    /// `Bearer` and a token.
    authorization: Option<HeaderValue>,
    client: Client<Connector, Full<Bytes>>,
}

/// The token that this command is given, by the environment or in a file.
///
/// # Errors
/// When the file can't be read.
pub(super) fn token(file: Option<&Path>) -> Result<Option<Zeroizing<String>>, Failure> {
    if let Some(file) = file {
        let text = std::fs::read_to_string(file).map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
        return Ok(Some(Zeroizing::new(text)));
    }
    Ok(std::env::var(super::TOKEN_VARIABLE).ok().filter(|token| !token.is_empty()).map(Zeroizing::new))
}

fn authorization(token: &str) -> Result<HeaderValue, Failure> {
    let header = HeaderValue::from_str(&format!("Bearer {}", token.trim()));
    let mut header = header.map_err(|_| Failure::usage("the token has characters in it that no token has"))?;
    header.set_sensitive(true);
    Ok(header)
}

/// What an agent answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
    tag: Option<HeaderValue>,
    shown: String,
}

impl Api {
    /// The API of an agent; `http://` may be left out.
    ///
    /// # Errors
    /// When it is no URL that can be talked to, or what is needed for https can't be read.
    pub(super) fn new(reach: &Reach, token: Option<Zeroizing<String>>) -> Result<Api, Failure> {
        let url = reach.agent.as_str();
        if let Some(path) = url.strip_prefix("unix:") {
            // As other programs write it, too.
            let path = path.strip_prefix("//").unwrap_or(path);
            return Api::over(Connector::unix(path), "http://localhost", url, token);
        }
        let wrong = |why| Failure::usage(format!("--agent: {url:?} {why}; write it as {DEFAULT_AGENT}"));
        let full = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let uri: Uri = full.parse().map_err(|_| wrong("is no URL"))?;
        let connector = match uri.scheme_str() {
            Some("http") => Connector::tcp(),
            Some("https") => {
                let pair = reach.client_certificate.as_deref().zip(reach.client_key.as_deref());
                Connector::tls(tls::settings(reach.ca.as_deref(), pair).map_err(Failure::usage)?)
            }
            _ => return Err(wrong("is no HTTP URL")),
        };
        if uri.query().is_some() {
            return Err(wrong("has a query"));
        }
        let base = full.trim_end_matches('/');
        Api::over(connector, base, base, token)
    }

    /// The API at a URL of plain HTTP.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn at(url: String) -> Result<Api, Failure> {
        Api::new(&Reach { agent: url, ca: None, client_certificate: None, client_key: None }, None)
    }

    fn over(connector: Connector, base: &str, shown: &str, token: Option<Zeroizing<String>>) -> Result<Api, Failure> {
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let authorization = token.map(|token| authorization(&token)).transpose()?;
        Ok(Api { base: base.to_owned(), shown: shown.to_owned(), authorization, client })
    }

    /// Sends a request without a body.
    ///
    /// # Errors
    /// When no agent answers.
    pub(super) async fn call(&self, method: Method, path: &str) -> Result<Answer, Failure> {
        self.send(method, path, None, &[], ANSWER).await
    }

    /// Sends a definition.
    ///
    /// # Errors
    /// When no agent answers.
    pub(super) async fn put(&self, path: &str, json: Vec<u8>) -> Result<Answer, Failure> {
        let json_type = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.send(Method::PUT, path, Some(json), &[json_type], ANSWER).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        headers: &[(HeaderName, HeaderValue)],
        limit: Duration,
    ) -> Result<Answer, Failure> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = request
            .body(Full::from(body.unwrap_or_default()))
            .map_err(|error| Failure::usage(format!("{}{path} is no URL: {error}", self.base)))?;
        let exchange = async {
            let (head, body) = self.client.request(request).await.map_err(|error| Cause::of(&error))?.into_parts();
            let body = Limited::new(body, ANSWER_OCTETS).collect().await.map_err(|error| Cause::of(&*error))?;
            let tag = head.headers.get(header::ETAG).cloned();
            Ok(Answer { status: head.status, body: body.to_bytes(), tag, shown: self.shown.clone() })
        };
        let result = tokio::time::timeout(limit, exchange).await;
        let late = |_| Err(Cause::Other(format!("no answer within {} s", limit.as_secs())));
        result.unwrap_or_else(late).map_err(|cause| not_reached(&self.shown, &cause))
    }
}

impl Answer {
    /// What was answered, understood.
    ///
    /// # Errors
    /// What the agent has against the request, with the exit code for it; or that this is no agent.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        self.done()?;
        serde_json::from_slice(&self.body).map_err(|_| self.no_agent())
    }

    /// That it was done, whatever the body says.
    ///
    /// # Errors
    /// As [`Answer::read`].
    pub(super) fn done(&self) -> Result<(), Failure> {
        if self.status.is_success() {
            return Ok(());
        }
        let message = problem::render(self.status, &self.body).ok_or_else(|| self.no_agent())?;
        Err(Failure { exit: self.exit(), message })
    }

    /// Prints the answer as it came and gives the exit code for it.
    ///
    /// # Errors
    /// When it can't be printed.
    pub(super) fn pass_on(&self) -> Result<Exit, Failure> {
        if !self.body.is_empty() {
            output::pass_on(&self.body)?;
        }
        Ok(self.exit())
    }

    /// What a status means for whoever typed the command.
    fn exit(&self) -> Exit {
        match self.status {
            status if status.is_success() => Exit::Done,
            StatusCode::BAD_REQUEST
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
            | StatusCode::UNPROCESSABLE_ENTITY => Exit::Usage,
            _ => Exit::No,
        }
    }

    fn no_agent(&self) -> Failure {
        let cause = format!("what answers there, with HTTP status {}, is no Tidings agent", self.status.as_u16());
        not_reached(&self.shown, &Cause::Other(cause))
    }
}

fn not_reached(agent: &str, cause: &Cause) -> Failure {
    Failure::no_agent(match cause {
        // It is there, and says itself what to do.
        Cause::Tls(cause) => format!("no agent reached at {agent}: {cause}"),
        Cause::Other(cause) => format!(
            "no agent reached at {agent}: {cause}\n  Start one on this host with `tidings agent`, or say where one is with --agent URL or TIDINGS_AGENT."
        ),
    })
}
