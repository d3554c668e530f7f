//! What hosts are made of.

use std::fmt;

use clap::ValueEnum;

use super::{
    docker::{self, Docker},
    namespaces::Namespaces,
    site::Site,
};
use crate::{netns, wires};

/// A way to make hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum World {
    /// A network namespace for each, on a bridge
    Namespaces,
    /// A container for each, by docker-compose
    Docker,
}

/// A world in which hosts can be made.
#[derive(Debug)]
pub(crate) enum Ground {
    Namespaces,
    Docker(Docker),
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            World::Namespaces => "namespaces",
            World::Docker => "docker",
        })
    }
}

impl World {
    /// Why there can be none of its hosts here, if that is so.
    pub(crate) async fn obstacle(self) -> Option<String> {
        match self {
            World::Namespaces => netns::obstacle().or_else(wires::obstacle),
            World::Docker => docker::obstacle().await,
        }
    }

    /// Makes what all of its hosts have in common.
    ///
    /// # Errors
    /// As the system says; for people.
    pub(crate) async fn open(self) -> Result<Ground, String> {
        match self {
            World::Namespaces => Ok(Ground::Namespaces),
            World::Docker => Docker::open().await.map(Ground::Docker),
        }
    }
}

impl Ground {
    /// So many hosts, on a network of their own.
    ///
    /// # Errors
    /// As the system says; for people.
    pub(crate) async fn site(&self, count: usize) -> Result<Box<dyn Site>, String> {
        match self {
            Ground::Namespaces => Ok(Box::new(Namespaces::new(count)?)),
            Ground::Docker(docker) => docker.site(count).await,
        }
    }
}
