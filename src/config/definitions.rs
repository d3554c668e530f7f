//! The services and checks that files define, each with its place.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{self, Path, PathBuf},
};

use super::{block::Block, file};
use crate::{
    definition,
    model::{Check, InstanceId, Registration, instance::Flaw, limits},
    wire::local,
};

/// Where something is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was named.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}", self.file, self.line)
    }
}

/// What files define.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Definitions {
    /// The instances, in the order of their ids.
    pub services: BTreeMap<InstanceId, (Registration, Place)>,
    /// The checks of the node, in the order in which they are written.
    pub checks: Vec<(Check, Place)>,
}

impl Definitions {
    /// The checks of the node, wherever they are written.
    pub fn node_checks(&self) -> Vec<Check> {
        self.checks.iter().map(|(check, _)| check.clone()).collect()
    }

    /// Takes in the `[[service]]` tables of a file.
    pub(super) fn add_services(&mut self, path: &str, blocks: &[Block], errors: &mut Vec<String>) {
        for block in blocks {
            let place = |pointer: &str| Place { file: path.to_owned(), line: block.line_of(pointer) };
            match service(path, block) {
                Err(flaws) => errors.extend(flaws.iter().map(|flaw| format!("{}: service: {}", place(&flaw.pointer), said(flaw)))),
                Ok(registration) => {
                    let id = registration.instance.id.clone();
                    match self.services.get(&id) {
                        Some((_, first)) => errors.push(format!("{}: service: the id {id} is taken by {first}", place("/id"))),
                        None => drop(self.services.insert(id, (registration, place("")))),
                    }
                }
            }
        }
    }

    /// Takes in the `[[check]]` tables of a file.
    pub(super) fn add_checks(&mut self, path: &str, blocks: &[Block], errors: &mut Vec<String>) {
        for block in blocks {
            let place = |pointer: &str| Place { file: path.to_owned(), line: block.line_of(pointer) };
            match definition::node_check(&block.value) {
                Err(flaws) => errors.extend(flaws.iter().map(|flaw| format!("{}: check: {}", place(&flaw.pointer), said(flaw)))),
                Ok(check) => match self.checks.iter().find(|(earlier, _)| earlier.id == check.id) {
                    Some((_, first)) => errors.push(format!("{}: check: the id {} is taken by {first}", place("/id"), check.id)),
                    None => self.checks.push((check, place(""))),
                },
            }
        }
    }

    /// Takes in the files of a folder, in the order of their names.
    pub(super) fn add_folder(&mut self, origin: &str, folder: &Path, errors: &mut Vec<String>) {
        let files = match service_files(folder) {
            Ok(files) => files,
            Err(error) => return errors.push(format!("{origin}: can't read the folder {}: {error}", folder.display())),
        };
        for path in files {
            let name = path.display().to_string();
            match file::read(&path) {
                Err(error) => errors.push(format!("{name}: can't be read: {error}")),
                Ok(text) => match file::parse_services(&text) {
                    Err(flaws) => errors.extend(flaws.iter().map(|flaw| flaw.within(&name))),
                    Ok(blocks) => self.add_services(&name, &blocks, errors),
                },
            }
        }
    }

    /// Holds the whole against its limits.
    pub(super) fn check_limits(&self, errors: &mut Vec<String>) {
        let (services, most) = (self.services.len(), limits::INSTANCES_PER_NODE);
        if services > most {
            errors.push(format!("the files define {services} services; a node may have {most}"));
        }
        if let Some((_, place)) = self.checks.get(limits::CHECKS) {
            errors.push(format!("{place}: check: a node may have {} checks; there are {}", limits::CHECKS, self.checks.len()));
        }
    }
}

/// The instance that a table defines. Its id, where it is left out, is the name of its service.
fn service(path: &str, block: &Block) -> Result<Registration, Vec<Flaw>> {
    let (field, value) = match block.value.get("id") {
        Some(id) => ("/id", Some(id)),
        None => ("/service", block.value.get("service")),
    };
    let flawed = |detail: String| vec![Flaw::new(field, detail)];
    let value = value.ok_or_else(|| flawed("is missing; a service has a name, as in service = \"web\"".into()))?;
    let text = value.as_str().ok_or_else(|| flawed("takes a text in quotes".into()))?;
    let id = InstanceId::new(text).map_err(|error| flawed(error.to_string()))?;
    // Whoever reads of it is not in the folder that the agent was started in.
    let file = path::absolute(path).map_or_else(|_| path.to_owned(), |absolute| absolute.display().to_string());
    let registration = Registration { file: Some(file), ..definition::read(id, &block.value)? };
    let (octets, most) = (local::octets(&registration), limits::DEFINITION_OCTETS);
    if octets > most {
        return Err(vec![Flaw::new("", format!("takes {octets} octets when encoded; at most {most} are allowed"))]);
    }
    Ok(registration)
}

/// A flaw as the writer of TOML would look for it.
fn said(flaw: &Flaw) -> String {
    let path = flaw.pointer.trim_start_matches('/').replace('/', ".").replace("~1", "/").replace("~0", "~");
    if path.is_empty() { flaw.detail.clone() } else { format!("{path} {}", flaw.detail) }
}

fn service_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests;
