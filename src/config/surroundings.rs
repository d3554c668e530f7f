//! What an agent finds around it when it starts.

use std::{collections::BTreeMap, env};

/// The facts about the process and its host that defaults depend on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Surroundings {
    /// The environment.
    pub env: BTreeMap<String, String>,
    /// The name of the host, with or without its domain.
    pub host_name: String,
    /// Whether the process runs as root.
    pub root: bool,
}

impl Surroundings {
    /// Those of this process.
    pub fn here() -> Self {
        let text = |os: std::ffi::OsString| os.to_string_lossy().into_owned();
        Surroundings {
            env: env::vars_os().map(|(name, value)| (text(name), text(value))).collect(),
            host_name: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            root: rustix::process::geteuid().is_root(),
        }
    }

    /// A variable of the environment; one that is set to nothing counts as not set.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}
