//! Tidings, asked over HTTP. A change is a registration.

use std::{
    collections::BTreeSet, fs::OpenOptions, io::Write as _, net::Ipv4Addr, os::unix::fs::OpenOptionsExt as _, path::Path, process::Command,
};

use bytes::Bytes;
use http::{Method, Request, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client as HttpClient, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};

use super::system::{Client, Result, Standing, System};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tidings");
const HTTP_PORT: u16 = 8780;

pub(crate) enum Tidings {}

/// The same with a key, and `require`.
pub(crate) enum Encrypted {}

/// The same in each run: what is said here is no secret.
const KEY: &str = "5:paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=";

impl System for Tidings {
    type Client = Http;

    const NAME: &'static str = "Tidings";
    const NET: [u8; 2] = [127, 60];

    fn version() -> Option<String> {
        Some(format!("Tidings {}", env!("CARGO_PKG_VERSION")))
    }

    fn command(name: &str, address: Ipv4Addr, seed: Option<Ipv4Addr>, folder: &Path) -> Command {
        let address = address.to_string();
        let mut command = Command::new(PROGRAM);
        // What the user has set for an agent of their own is not meant for these.
        for (key, _) in std::env::vars_os() {
            if key.to_string_lossy().starts_with("TIDINGS_") {
                command.env_remove(key);
            }
        }
        command.args(["agent", "--name", name, "--cluster", "bench"]).arg("--data-dir").arg(folder);
        command.args(["--gossip", &address, "--http", &address, "--dns", &address]);
        if let Some(seed) = seed {
            command.args(["--join", &seed.to_string()]);
        }
        command
    }

    fn client(address: Ipv4Addr) -> Http {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = HttpClient::builder(TokioExecutor::new()).pool_max_idle_per_host(1).build(connector);
        Http { client, base: format!("http://{address}:{HTTP_PORT}/v1") }
    }
}

impl System for Encrypted {
    type Client = Http;

    const NAME: &'static str = "Tidings, encrypted";
    const NET: [u8; 2] = [127, 62];

    fn version() -> Option<String> {
        Tidings::version()
    }

    fn command(name: &str, address: Ipv4Addr, seed: Option<Ipv4Addr>, folder: &Path) -> Command {
        let mut command = Tidings::command(name, address, seed, folder);
        let keys = folder.with_extension("keys");
        // Where it can't be written the agent says so, and ends.
        if OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&keys)
            .and_then(|mut file| writeln!(file, "{KEY}"))
            .is_ok()
        {
            command.arg("--key-file").arg(keys);
        }
        command.args(["--encryption", "require"]);
        command
    }

    fn client(address: Ipv4Addr) -> Http {
        Tidings::client(address)
    }
}

/// One keep-alive connection.
pub(crate) struct Http {
    client: HttpClient<HttpConnector, Full<Bytes>>,
    base: String,
}

impl Http {
    async fn call(&self, method: Method, path: &str, body: Bytes) -> Result<(StatusCode, Bytes)> {
        let request = Request::builder().method(method).uri(format!("{}{path}", self.base)).header(CONTENT_TYPE, "application/json");
        let (head, body) = self.client.request(request.body(Full::new(body))?).await?.into_parts();
        Ok((head.status, body.collect().await?.to_bytes()))
    }

    async fn get(&self, path: &str) -> Result<(StatusCode, Value)> {
        let (status, body) = self.call(Method::GET, path, Bytes::new()).await?;
        Ok((status, serde_json::from_slice(&body)?))
    }
}

impl Client for Http {
    async fn alive(&mut self) -> Result<BTreeSet<String>> {
        let (_, nodes) = self.get("/nodes?state=alive").await?;
        let names = nodes["items"].as_array().into_iter().flatten().filter_map(|node| node["name"].as_str());
        Ok(names.map(str::to_owned).collect())
    }

    async fn standing(&mut self, member: &str) -> Result<Standing> {
        let (_, node) = self.get(&format!("/nodes/{member}")).await?;
        Ok(match node["state"].as_str() {
            None => Standing::Unknown,
            Some("alive") => Standing::Alive,
            Some("down") => Standing::Down,
            Some(_) => Standing::Between,
        })
    }

    async fn change(&mut self, value: &str) -> Result<()> {
        let definition = json!({"service": value, "port": 8080});
        let (status, body) = self.call(Method::PUT, "/agent/instances/bench", definition.to_string().into()).await?;
        if status.is_success() { Ok(()) } else { Err(format!("{status}: {}", String::from_utf8_lossy(&body)).into()) }
    }

    async fn shows(&mut self, member: &str, value: &str) -> Result<bool> {
        let (_, instances) = self.get(&format!("/instances?service={value}&node={member}")).await?;
        Ok(instances["items"].as_array().is_some_and(|items| !items.is_empty()))
    }
}
