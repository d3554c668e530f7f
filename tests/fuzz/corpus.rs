//! The corpus on disk: a folder for each target, a file for each input.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Octets of all of it, at most: it is a part of the repository.
const OCTETS: usize = 500_000;

pub(crate) fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

/// The inputs of a target, in the order of their names.
pub(crate) fn read(target: &str) -> Vec<Vec<u8>> {
    let folder = folder(target);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>())
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files.iter().map(|file| fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))).collect()
}

#[test]
fn the_corpus_is_small() {
    let octets: usize = super::targets::TARGETS.iter().flat_map(|(name, _)| read(name)).map(|input| input.len()).sum();
    assert!(octets <= OCTETS, "{octets} octets; `fuzz/run --minimise` makes it smaller");
}
