//! A check that opens a connection and closes it again.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Ask, Field, Finding, Kind, Tools, Way,
    target::{HOST, PORT, is_host, is_port},
};
use crate::{
    fields::{Reading, Shown},
    model::Status,
};

/// Passes when the target takes a connection.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(super) struct Tcp {
    /// `HOST:PORT`; an address in brackets where it is IPv6.
    #[serde(rename = "tcp")]
    target: String,
}

impl Kind for Tcp {
    const FIELDS: &'static [Field] =
        &[Field { name: "tcp", schema: || json!({"type": "string", "description": "HOST:PORT", "pattern": format!("^{HOST}:{PORT}$")}) }];
    const TAKES: &'static str = "HOST:PORT";
    const WAY: Way<Self> = Way::Asks(|it| Arc::new(it));

    fn read(reading: &mut Reading<'_>) -> Option<Tcp> {
        let value = reading.required("tcp")?;
        let target = reading.text("/tcp", value)?;
        if !target.rsplit_once(':').is_some_and(|(host, port)| is_host(host) && is_port(port)) {
            reading.flaw("/tcp", format!("is {}; it takes HOST:PORT, with an IPv6 address in brackets", Shown(value)));
        }
        Some(Tcp { target: target.to_owned() })
    }

    fn asked(&self) -> String {
        self.target.clone()
    }

    #[cfg(test)]
    fn samples() -> Vec<serde_json::Value> {
        tests::samples()
    }
}

#[async_trait]
impl Ask for Tcp {
    async fn ask(&self, tools: &Tools, patience: Duration) -> Finding {
        let Some((host, port)) = split(&self.target) else {
            return Finding::critical(format!("{:?} is not HOST:PORT", self.target));
        };
        match tools.resolver.connect(host, port, patience).await {
            Ok(_) => Finding::new(Status::Passing, format!("{} takes connections", self.target)),
            Err(problem) => Finding::critical(problem),
        }
    }
}

fn split(target: &str) -> Option<(&str, u16)> {
    let (host, port) = target.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    Some((host, port.parse().ok()?)).filter(|_| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::kinds::tests::flawed;

    #[tokio::test]
    async fn what_takes_connections_passes_by_address_and_by_name() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for host in ["127.0.0.1", "localhost"] {
            let finding = ask(&format!("{host}:{port}")).await;
            assert_eq!((finding.status, finding.reason), (Status::Passing, format!("{host}:{port} takes connections")));
            let (_, from) = listener.accept().await.unwrap();
            assert!(from.ip().is_loopback());
        }
    }

    #[tokio::test]
    async fn what_refuses_is_critical_and_named_with_its_address() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let finding = ask(&address.to_string()).await;
        assert_eq!(finding.status, Status::Critical);
        assert!(finding.reason.starts_with(&format!("can't connect to {address}: Connection refused")), "{finding:?}");
    }

    #[tokio::test]
    async fn a_name_that_does_not_exist_is_critical() {
        let finding = ask("no-such-name.invalid:80").await;
        assert_eq!(finding.status, Status::Critical);
        assert!(finding.reason.contains("no-such-name.invalid"), "{finding:?}");
    }

    #[test]
    fn a_target_is_split_at_its_last_colon() {
        assert_eq!(split("10.0.0.5:80"), Some(("10.0.0.5", 80)));
        assert_eq!(split("[fd00::5]:80"), Some(("fd00::5", 80)));
        assert_eq!(split("db.internal:5432"), Some(("db.internal", 5432)));
        for bad in ["", "db", ":80", "db:http", "db:65536"] {
            assert_eq!(split(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_target_is_a_host_and_a_port() {
        for bad in [json!("host"), json!("host:0"), json!("::1:80"), json!(80)] {
            flawed("tcp", json!({"tcp": bad}), "/tcp", if bad == 80 { "is a string" } else { "HOST:PORT" });
        }
    }

    pub(super) fn samples() -> Vec<serde_json::Value> {
        let targets = [
            "localhost:80",
            "localhost:0",
            "localhost:080",
            "localhost:65535",
            "localhost:65536",
            "localhost:+80",
            "localhost",
            "[::1]:80",
            "[]:80",
            "::1:80",
            "a b:80",
            "user@host:80",
            "ü:80",
        ];
        targets.map(Into::into).to_vec()
    }

    async fn ask(target: &str) -> Finding {
        Tcp { target: target.into() }.ask(&Tools::default(), Duration::from_secs(20)).await
    }
}
