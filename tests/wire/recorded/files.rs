//! The files of a recording: octets as lines of hexadecimal digits, and what the manifest says of them.

use std::{fs, path::PathBuf};

use serde::{Deserialize, Serialize};

/// A version's folder, read.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) version: u16,
    pub(super) cluster: String,
    pub(super) files: Vec<File>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The name of the cluster.
    pub(super) cluster: String,
    pub(super) file: Vec<File>,
}

/// One file of octets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct File {
    pub(super) name: String,
    /// For people.
    pub(super) what: String,
    pub(super) carrier: Carrier,
    /// Whether it is encrypted, with [`KEY`].
    pub(super) sealed: bool,
    /// Kinds of messages that must be read from it.
    pub(super) kinds: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Carrier {
    /// One in each line.
    Datagrams,
    /// A frame in each line, behind `>` where it was said by who opened the stream, else `<`; an empty line behind each stream.
    Streams,
}

/// The id of the key, and each octet of it.
pub(super) const KEY: (&str, u8) = ("5", 0xa5);

/// The frames of a stream: those of who opened it, and those of the other side.
pub(super) type Stream = [Vec<Vec<u8>>; 2];

pub(super) fn folder(version: u16) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/wire/recorded/v{version}"))
}

impl Folder {
    pub(super) fn read(version: u16) -> Folder {
        let path = folder(version).join("manifest.toml");
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let Manifest { cluster, file } = toml::from_str(&text).expect("the manifest is sound");
        Folder { version, cluster, files: file }
    }

    fn text(&self, name: &str) -> String {
        let path = folder(self.version).join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub(super) fn expected(&self, file: &File) -> String {
        self.text(&format!("{}.read", file.name))
    }

    pub(super) fn datagrams(&self, file: &File) -> Vec<Vec<u8>> {
        self.text(&file.name).lines().map(octets).collect()
    }

    pub(super) fn streams(&self, file: &File) -> Vec<Stream> {
        let text = self.text(&file.name);
        let streams = text.split("\n\n").filter(|stream| !stream.trim().is_empty());
        let side = |stream: &str, mark| stream.lines().filter_map(|line| line.strip_prefix(mark)).map(octets).collect();
        streams.map(|stream| [side(stream, "> "), side(stream, "< ")]).collect()
    }
}

pub(super) fn digits(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn octets(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal digits")).collect()
}
