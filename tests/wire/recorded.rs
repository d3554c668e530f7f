//! What real agents said in each version of the wire format that is spoken: it is read as it was when it was recorded, for as long as its version is spoken.
//!
//! `recorded/vN/manifest.toml` says what was recorded and what must be read from it. Beside each file of octets stands what they mean, as text (`*.read`).
//! `TIDINGS_RECORD_WIRE=1 cargo test --test wire recorded` records the folder of the highest version, where there is none (Architecture.md, "A new version of the
//! wire format").

#[path = "recorded/files.rs"]
mod files;
#[path = "recorded/kept.rs"]
mod kept;
#[path = "recorded/kinds.rs"]
mod kinds;
#[path = "recorded/reading.rs"]
mod reading;
#[path = "recorded/record.rs"]
mod record;
// Of the features: somebody on the way to an agent.
#[path = "../features/recorder.rs"]
mod recorder;
#[path = "recorded/replay.rs"]
mod replay;

use std::collections::BTreeSet;

use tidings::wire::{HIGHEST_VERSION, LOWEST_VERSION};

use files::Folder;

/// What to do about it, behind what is wrong.
const ADVICE: &str = "What agents of a released version say must be read as ever, by each later release that speaks the version. If the format is to change: raise \
                      HIGHEST_VERSION (src/wire.rs), write the new form where that version is spoken and the old one elsewhere, keep this folder as it is, and \
                      record one for the new version: Architecture.md, \"A new version of the wire format\"";

#[test]
fn each_version_that_is_spoken_was_recorded() {
    for version in LOWEST_VERSION..=HIGHEST_VERSION {
        assert!(files::folder(version).is_dir(), "there is no {}. {ADVICE}", files::folder(version).display());
    }
}

#[test]
fn what_was_recorded_is_read_as_it_was() {
    for folder in spoken() {
        for file in &folder.files {
            let read = reading::of(&folder, file);
            assert!(read.text == folder.expected(file), "{} of version {} is read otherwise: {}. {ADVICE}", file.name, folder.version, {
                let expected = folder.expected(file);
                let differing = read.text.lines().zip(expected.lines()).find(|(now, then)| now != then);
                differing.map_or("it has another length".into(), |(now, then)| format!("as {now:?} in place of {then:?}"))
            });
            let missing: Vec<&String> = file.kinds.iter().filter(|kind| !read.kinds.contains(kind.as_str())).collect();
            assert!(missing.is_empty(), "{}: {missing:?} were recorded, and are not read. {ADVICE}", file.name);
        }
    }
}

#[test]
fn what_was_recorded_is_written_the_same_way() {
    for folder in spoken() {
        for file in &folder.files {
            let read = reading::of(&folder, file);
            assert!(read.rewritten > 0 && read.otherwise.is_empty(), "{}: {:?} are written otherwise. {ADVICE}", file.name, read.otherwise);
        }
    }
}

#[test]
fn every_kind_of_message_was_recorded_in_the_clear_and_encrypted() {
    for folder in spoken() {
        for sealed in [false, true] {
            let kinds: BTreeSet<&str> =
                folder.files.iter().filter(|file| file.sealed == sealed).flat_map(|file| file.kinds.iter().map(String::as_str)).collect();
            let missing: Vec<&str> = kinds::KINDS.iter().map(|(_, name)| *name).filter(|name| !kinds.contains(name)).collect();
            assert!(missing.is_empty(), "version {}, encrypted {sealed}: {missing:?}", folder.version);
        }
    }
}

#[test]
fn a_core_of_today_takes_what_was_recorded() {
    for folder in spoken() {
        for file in &folder.files {
            replay::into_a_core(&folder, file);
        }
    }
}

fn spoken() -> Vec<Folder> {
    (LOWEST_VERSION..=HIGHEST_VERSION).map(Folder::read).collect()
}
