//! Holds `docs/simulations.md` and the files of `simulations/` against the reader.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use super::{
    Scenario,
    keys::{self, ACTIONS, EXPECTATIONS, Table},
};

#[test]
fn every_example_of_the_documentation_is_a_scenario() {
    let mut examples = 0;
    let mut open: Option<(usize, String)> = None;
    for (line, number) in documentation().lines().zip(1..) {
        match &mut open {
            None if line == "```toml" => open = Some((number, String::new())),
            None => {}
            Some((first, example)) if line == "```" => {
                examples += 1;
                let read = Scenario::read(example, None);
                assert!(read.is_ok(), "the example on line {first}: {:#?}", read.unwrap_err());
                open = None;
            }
            Some((_, example)) => {
                example.push_str(line);
                example.push('\n');
            }
        }
    }
    assert!(examples >= 5, "{examples} examples were found");
}

#[test]
fn every_file_of_the_folder_is_a_scenario_that_says_what_it_shows() {
    let files = files();
    assert!(files.len() >= 23, "{files:?}");
    for file in files {
        let scenario = Scenario::load(&file, None).unwrap_or_else(|flaws| panic!("{}", flaws.join("\n")));
        assert!(!scenario.steps.is_empty());
        assert!(fs::read_to_string(&file).unwrap().starts_with("# "), "{} begins with no comment", file.display());
    }
}

#[test]
fn the_documented_keys_are_those_that_the_reader_knows() {
    let documented = documented();
    let check = |section: &str, known: BTreeSet<&str>| {
        let found: BTreeSet<&str> =
            documented.get(section).unwrap_or_else(|| panic!("no section {section}")).keys().map(String::as_str).collect();
        assert_eq!(found, known, "{section}");
    };
    let keys = |table: &Table| table.keys.iter().copied().collect();
    check("The file", keys(&keys::FILE));
    check("`[nodes]`", keys(&keys::NODES));
    check("`[[node]]`", keys(&keys::NODE));
    check("`[network]`", keys(&keys::NETWORK));
    check("`[[link]]`", keys(&keys::LINK));
    check("Steps", keys(&keys::STEP));
    for (section, tables) in [("Actions", ACTIONS), ("Expectations", EXPECTATIONS)] {
        check(section, tables.iter().map(|table| table.name).collect());
        for table in tables.iter().filter(|table| !table.keys.is_empty()) {
            let known: BTreeSet<&str> = table.keys.iter().copied().collect();
            let found: BTreeSet<&str> = documented[section][table.name].iter().map(String::as_str).collect();
            assert_eq!(found, known, "{}", table.name);
        }
    }
}

fn documentation() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/simulations.md")).unwrap()
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("simulations");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// By section and by the words in the first cell of a row: the words in its second one.
fn documented() -> BTreeMap<String, BTreeMap<String, Vec<String>>> {
    let mut sections: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    let mut section = String::new();
    for line in documentation().lines() {
        if line.starts_with('#') {
            section = line.trim_start_matches('#').trim().to_owned();
        } else if line.starts_with("| `") {
            let mut cells = line.trim_matches('|').split('|');
            let (first, second) = (code(cells.next().unwrap()), code(cells.next().unwrap()));
            let rows = sections.entry(section.clone()).or_default();
            first.into_iter().for_each(|word| drop(rows.insert(word, second.clone())));
        }
    }
    sections
}

/// What stands in backticks.
fn code(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}
