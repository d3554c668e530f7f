//! The places that a value may come from, one over the other.

use std::fmt;

use super::{Flags, Key, Surroundings, file::Written};

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    Flag(&'static str),
    Env(&'static str),
    File { path: String, line: usize, key: String },
    Default(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag(flag) | Origin::Default(flag) => write!(f, "--{flag}"),
            Origin::Env(name) => f.write_str(name),
            Origin::File { path, line, key } => write!(f, "{path}, line {line}: {key}"),
        }
    }
}

/// The texts of one setting, and where they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) texts: Vec<String>,
    pub(super) origin: Origin,
}

impl Given {
    /// The text of a setting that takes a single one.
    pub(super) fn text(&self) -> &str {
        self.texts.last().map_or("", String::as_str)
    }
}

/// Flags over environment over file over defaults.
pub(super) struct Layers<'a> {
    flags: &'a Flags,
    surroundings: &'a Surroundings,
    file: Option<(String, Written)>,
}

impl<'a> Layers<'a> {
    pub(super) fn new(flags: &'a Flags, surroundings: &'a Surroundings) -> Self {
        Layers { flags, surroundings, file: None }
    }

    /// These layers with a file below them.
    pub(super) fn over(self, path: String, written: Written) -> Self {
        Layers { file: Some((path, written)), ..self }
    }

    /// The file and what is written in it.
    pub(super) fn file(&self) -> Option<&(String, Written)> {
        self.file.as_ref()
    }

    /// The value of the uppermost layer that sets it.
    pub(super) fn get(&self, key: &Key) -> Option<Given> {
        let flag = || {
            let texts = self.flags.get(key.flag)?.clone();
            Some(Given { texts, origin: Origin::Flag(key.flag) })
        };
        let env = || {
            let text = self.surroundings.var(key.env)?;
            let texts = match key.many {
                true => text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect(),
                false => vec![text.to_owned()],
            };
            Some(Given { texts, origin: Origin::Env(key.env) })
        };
        let file = || {
            let (path, written) = self.file.as_ref()?;
            let found = written.settings.get(key.file?)?;
            let origin = Origin::File { path: path.clone(), line: found.line, key: key.file?.to_owned() };
            Some(Given { texts: found.value.clone(), origin })
        };
        let default = || Some(Given { texts: vec![key.default?.to_owned()], origin: Origin::Default(key.flag) });
        flag().or_else(env).or_else(file).or_else(default)
    }
}
