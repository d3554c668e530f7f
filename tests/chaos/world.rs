//! What hosts are made of.

use std::fmt;

use clap::ValueEnum;

use super::{namespaces::Namespaces, site::Site};
use crate::netns;

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
    /// Makes what all of its hosts have in common.
    ///
    /// # Errors
    /// Why there can be none of its hosts here.
    pub(crate) async fn open(self) -> Result<Ground, String> {
        match self {
            World::Docker => Err("it is not there yet".to_owned()),
            World::Namespaces => netns::obstacle().map_or(Ok(Ground::Namespaces), |why| Err(format!("it needs network namespaces: {why}"))),
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
        }
    }
}
