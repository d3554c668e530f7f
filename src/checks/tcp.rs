//! A check that opens a connection and closes it again.

use std::time::Duration;

use async_trait::async_trait;

use super::{
    finding::Finding,
    kind::{Ask, Tools},
};
use crate::model::Status;

/// Passes when the target takes a connection.
pub(super) struct TcpCheck {
    target: String,
}

impl TcpCheck {
    /// A check of `HOST:PORT`.
    pub(super) fn new(target: String) -> TcpCheck {
        TcpCheck { target }
    }
}

#[async_trait]
impl Ask for TcpCheck {
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

    async fn ask(target: &str) -> Finding {
        TcpCheck::new(target.into()).ask(&Tools::default(), Duration::from_secs(20)).await
    }
}
