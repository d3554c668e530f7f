//! Configuration files.

use std::{cell::RefCell, fs, path::PathBuf};

use tidings::config::{self, Surroundings, file};

/// Reads a configuration. Holds: each flaw stands on a line of it and says something; what an agent can run with it can show.
pub fn configuration(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else {
        return;
    };
    let lines = 1 + text.matches('\n').count();
    if let Err(flaws) = file::parse(text) {
        assert!(!flaws.is_empty());
        for flaw in flaws {
            assert!((1..=lines).contains(&flaw.line) && !flaw.value.is_empty(), "{flaw:?} of {lines} lines");
        }
    }
    // It may name other files, and those of this machine are none of a test's business.
    if ["file", "dir", "\\"].iter().any(|it| text.contains(it)) {
        return;
    }
    let flags = [("config", vec![written(text)])].into_iter().collect();
    let surroundings =
        Surroundings { env: [("HOME".to_owned(), "/home/me".to_owned())].into_iter().collect(), host_name: "db-1".into(), root: false };
    match (config::load(&flags, &surroundings), config::explain(&flags, &surroundings)) {
        (Ok(resolved), Ok(shown)) => {
            assert!(!shown.is_empty());
            assert!(config::needs_restart(&resolved, &resolved).is_empty());
        }
        (Err(one), Err(other)) => assert!(one == other && !one.0.is_empty() && one.0.iter().all(|what| !what.is_empty()), "{one} {other}"),
        (one, other) => panic!("{one:?} {other:?}"),
    }
}

/// A file with this text, which the next call writes anew.
fn written(text: &str) -> String {
    thread_local! {
        static FILE: RefCell<Option<Scratch>> = const { RefCell::new(None) };
    }
    FILE.with_borrow_mut(|file| {
        let file = file.get_or_insert_with(Scratch::new);
        fs::write(&file.0, text).expect("the folder for files of no use takes one");
        file.0.display().to_string()
    })
}

/// It is gone with its thread.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Scratch {
        Scratch(std::env::temp_dir().join(format!("tidings-fuzz-{}-{:?}.toml", std::process::id(), std::thread::current().id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
