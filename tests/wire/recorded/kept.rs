//! What is kept of a recording, and what is written beside it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use tidings::wire::{HIGHEST_VERSION, Versions, envelope, frame::FrameBuffer, limits};

use super::{
    files::{self, Carrier, File, Folder, Stream},
    kinds::name,
    reading,
    record::CLUSTER,
    recorder::Recording,
};

/// Datagrams and streams that are kept of those that say the same kinds of things.
const KEPT: usize = 2;

fn datagrams(recordings: &[Recording]) -> Vec<Vec<u8>> {
    recordings.iter().flat_map(|recording| recording.datagrams.iter().chain(&recording.answers)).cloned().collect()
}

fn streams(recordings: &[Recording]) -> Vec<Stream> {
    let sides = recordings.iter().flat_map(|recording| recording.streams.iter().zip(&recording.replies));
    // Where nobody was behind the address nothing was said at all.
    sides.map(|(said, replied)| [said, replied].map(|octets| frames(octets))).filter(|stream| !stream[0].is_empty()).collect()
}

fn frames(octets: &[u8]) -> Vec<Vec<u8>> {
    let mut buffer = FrameBuffer::default();
    buffer.extend(octets);
    std::iter::from_fn(|| buffer.next_frame().ok().flatten()).collect()
}

/// What kinds of messages stand in something that was recorded.
pub(super) fn kinds(recordings: &[Recording], sealed: bool) -> BTreeSet<&'static str> {
    let of_datagrams = datagrams(recordings).into_iter().flat_map(|datagram| kinds_of_datagram(&datagram, sealed));
    let streams = streams(recordings);
    of_datagrams.chain(streams.iter().flat_map(|stream| kinds_of_stream(stream, sealed).into_iter().flatten())).collect()
}

fn kinds_of_datagram(datagram: &[u8], sealed: bool) -> Vec<&'static str> {
    let seal = reading::seal(sealed);
    let opened = seal.open(Versions::SPOKEN, envelope::Carrier::Datagram, datagram, &[]);
    let messages = opened.as_ref().ok().and_then(|opened| opened.messages().ok()).unwrap_or_default();
    messages.iter().filter_map(|(kind, _)| name(*kind)).collect()
}

fn kinds_of_stream(stream: &Stream, sealed: bool) -> [Vec<&'static str>; 2] {
    let seal = reading::seal(sealed);
    [0, 1].map(|side| {
        let mut kinds = Vec::new();
        for frame in 0..stream[side].len() {
            if let Ok(opened) = reading::open(&seal, stream, side, frame) {
                kinds.extend(opened.messages().unwrap_or_default().iter().filter_map(|(kind, _)| name(*kind)));
            }
        }
        kinds
    })
}

/// Of those that say the same kinds of things a few.
pub(super) fn write(folder: &Path, recordings: &[Recording], sealed: bool) -> [File; 2] {
    let how = if sealed { "sealed" } else { "clear" };
    let mut count: BTreeMap<BTreeSet<String>, usize> = BTreeMap::new();
    let mut text = String::new();
    for datagram in datagrams(recordings) {
        assert!(datagram.len() <= limits::DATAGRAM_OCTETS);
        let count = count.entry(words(&reading::of_datagram(CLUSTER, sealed, &datagram))).or_default();
        *count += 1;
        if *count <= KEPT {
            text += &format!("{}\n", files::digits(&datagram));
        }
    }
    let what = "datagrams of agents that join, register, fail, are held up, restart, are forgotten and leave".to_owned();
    let first = finish(folder, &format!("{how}-datagrams"), what, Carrier::Datagrams, sealed, &text);
    let mut count: BTreeMap<BTreeSet<String>, usize> = BTreeMap::new();
    let mut text = String::new();
    for stream in streams(recordings) {
        let count = count.entry(words(&reading::of_stream(CLUSTER, sealed, &stream))).or_default();
        *count += 1;
        if *count <= KEPT {
            for (frames, mark) in stream.iter().zip([">", "<"]) {
                frames.iter().for_each(|frame| text += &format!("{mark} {}\n", files::digits(frame)));
            }
            text.push('\n');
        }
    }
    let what = "streams of the same agents: joins, syncs, farewells, probes, watches, refusals, and questions for versions".to_owned();
    [first, finish(folder, &format!("{how}-streams"), what, Carrier::Streams, sealed, &text)]
}

/// The names of messages, of what they may be, and of what is or is not in them.
fn words(read: &str) -> BTreeSet<String> {
    let words = read.split(|c: char| !c.is_ascii_alphabetic() && c != '_');
    words.filter(|word| word.starts_with(|c: char| c.is_ascii_uppercase()) || *word == "gone").map(str::to_owned).collect()
}

/// Writes a file, and what is read from it.
fn finish(folder: &Path, name: &str, what: String, carrier: Carrier, sealed: bool, text: &str) -> File {
    fs::write(folder.join(name), text).expect("a file can be written");
    let mut file = File { name: name.into(), what, carrier, sealed, kinds: Vec::new() };
    let read = reading::of(&Folder { version: HIGHEST_VERSION, cluster: CLUSTER.into(), files: Vec::new() }, &file);
    assert!(read.otherwise.is_empty() && !read.text.contains("can't be read"), "{}", read.text);
    file.kinds = read.kinds.iter().map(|kind| (*kind).to_owned()).collect();
    fs::write(folder.join(format!("{name}.read")), read.text).expect("a file can be written");
    file
}
