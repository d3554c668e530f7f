//! What belongs to a kind of check stands in its file, and its name in the table besides: nowhere else does anybody go by it.

use std::{collections::BTreeSet, path::Path, str::FromStr as _};

use proc_macro2::{TokenStream, TokenTree};
use tidings::kinds::KINDS;

/// The table of kinds.
const TABLE: &str = "src/kinds.rs";

/// Words that belong to a kind, and mean something else in these files.
const OTHERWISE: &[(&str, &str, &str)] = &[
    ("http", "src/cli/client.rs", "a scheme"),
    ("http", "src/cli/demo/cluster.rs", "the flag --http"),
    ("http", "src/config/keys.rs", "the flag --http"),
    ("http", "src/config/shown.rs", "the flag --http"),
    ("tcp", "src/cli/table/rows.rs", "a protocol"),
    ("tcp", "src/dns/name.rs", "a protocol"),
    ("tcp", "src/model/instance.rs", "a protocol"),
    ("headers", "src/http/openapi/document.rs", "a word of OpenAPI"),
    ("http", "src/http/openapi/document.rs", "a word of OpenAPI"),
    ("method", "src/metrics/http.rs", "a label"),
];

#[test]
fn names_and_fields_of_kinds_occur_in_their_files_and_the_table_alone() {
    let mut unused: BTreeSet<_> = OTHERWISE.iter().collect();
    let mut found = Vec::new();
    for (file, source) in sources() {
        for said in foreign(&file, &source) {
            match OTHERWISE.iter().find(|(word, of, _)| *word == said.word && *of == file) {
                Some(known) => drop(unused.remove(known)),
                None => found.push(format!("{file}:{}: {} belongs to {}", said.line, said.word, said.kind)),
            }
        }
    }
    assert!(found.is_empty(), "kinds of check are named outside of their files:\n{}", found.join("\n"));
    assert!(unused.is_empty(), "exceptions that are not needed: {unused:?}");
}

#[test]
fn each_kind_has_its_file_and_one_line_of_the_table() {
    let sources = sources();
    let (_, table) = sources.iter().find(|(file, _)| file == TABLE).expect("the table is there");
    for kind in KINDS {
        assert!(sources.iter().any(|(file, _)| *file == own_file(kind.name)), "{:?} has no file {}", kind.name, own_file(kind.name));
        let code = table.lines().filter(|line| !line.trim_start().starts_with("//"));
        let lines: Vec<&str> = code.filter(|line| line.split(|c: char| !c.is_alphanumeric()).any(|word| word == kind.name)).collect();
        assert_eq!(lines.len(), 1, "{:?} stands in these lines of {TABLE}: {lines:?}", kind.name);
    }
}

#[test]
fn a_name_of_a_kind_is_found_however_it_is_written() {
    let finds = |source: &str| assert_eq!(foreign("src/core/health.rs", source).len(), 1, "{source}");
    finds("fn f(it: &Probe) { match it { Probe::Ttl { .. } => {} } }");
    finds("use crate::kinds::TtlCheck;");
    finds("fn is_ttl_check() {}");
    finds("const KINDS: [&str; 1] = [\"ttl\"];");
    finds("fn f() { json!({\"id\": 1, \"ca_file\": null}) }");
    finds("mod tests {} fn f() { r\"redirects\" }");
    let fine = |source: &str| assert!(foreign("src/core/health.rs", source).is_empty(), "{source}");
    fine("/// Not a ttl check, nor \"ttl\".\nfn f(ttl: Ttl) { \"the ttl of a check\" }");
    fine("#[cfg(test)] mod tests { fn f() { \"ttl\" } }");
    fine("#[cfg(test)] use a::TtlCheck; fn f() {}");
    assert!(foreign("src/kinds/ttl.rs", "struct TtlCheck; fn f() { \"ttl\" }").is_empty());
    assert_eq!(foreign("src/kinds/tcp.rs", "struct TtlCheck; fn f() { \"ttl\" }").len(), 2);
    assert!(foreign("src/kinds/http/run.rs", "fn f() { \"redirects\" }").is_empty());
}

/// Something that belongs to a kind.
struct Said {
    word: String,
    line: usize,
    kind: &'static str,
}

/// All that belongs to kinds, and stands in a file that is neither theirs nor the table nor only tests.
fn foreign(file: &str, source: &str) -> Vec<Said> {
    let is_test = file.split('/').any(|part| ["tests", "tests.rs", "testing.rs", "fixture.rs", "held.rs"].contains(&part));
    if file == TABLE || is_test {
        return Vec::new();
    }
    let tokens = TokenStream::from_str(source).unwrap_or_else(|error| panic!("{file}: {error}"));
    let mut said = Vec::new();
    for kind in KINDS.iter().filter(|kind| !is_of(file, kind.name)) {
        let fields: Vec<&str> = kind.fields.iter().map(|field| field.name).collect();
        walk(tokens.clone(), &mut |text, line| {
            let word = match text {
                Text::Literal(literal) => Some(literal).filter(|literal| fields.contains(&literal.as_str())),
                Text::Path(path) => Some(path).filter(|path| names_a_kind(path, kind.name)),
            };
            said.extend(word.map(|word| Said { word, line, kind: kind.name }));
        });
    }
    said
}

fn own_file(kind: &str) -> String {
    format!("src/kinds/{kind}.rs")
}

fn is_of(file: &str, kind: &str) -> bool {
    file == own_file(kind) || file.starts_with(&format!("src/kinds/{kind}/"))
}

/// Whether the words of a path speak of this kind of check: `Probe::Ttl`, `TtlCheck`, `ttl_checks`.
fn names_a_kind(path: &str, kind: &str) -> bool {
    // A room is no kind, whatever it is called.
    let segments: Vec<&str> = path.split("::").collect();
    let named = if segments[0] == "crate" { &segments[segments.len().min(2)..] } else { &segments };
    let words: Vec<String> = named.iter().flat_map(|segment| words(segment)).collect();
    let speaks_of_checks = words.iter().any(|word| ["check", "checks", "probe", "probes", "kind", "kinds"].contains(&word.as_str()));
    speaks_of_checks && words.iter().any(|word| word == kind)
}

/// `HttpCheck` and `http_check` are both `http`, `check`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        if c == '_' || (c.is_uppercase() && words.last().is_some_and(|word| word.ends_with(|last: char| last.is_lowercase()))) {
            words.push(String::new());
        }
        if c != '_' {
            words.last_mut().expect("there is one").extend(c.to_lowercase());
        }
    }
    words
}

enum Text {
    /// What a string literal says.
    Literal(String),
    /// Names with `::` between them.
    Path(String),
}

/// Shows everything that is written and compiled without tests.
fn walk(tokens: TokenStream, show: &mut impl FnMut(Text, usize)) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let is_punct = |at: usize, c: char| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == c);
    let mut at = 0;
    while at < tokens.len() {
        if is_punct(at, '#') && matches!(tokens.get(at + 1), Some(TokenTree::Group(group)) if group.stream().to_string() == "cfg (test)") {
            let ends = |token: &TokenTree| match token {
                TokenTree::Group(group) => group.delimiter() == proc_macro2::Delimiter::Brace,
                TokenTree::Punct(punct) => matches!(punct.as_char(), ';' | ','),
                _ => false,
            };
            at += 2 + tokens[at + 2..].iter().position(ends).map_or(tokens.len(), |end| end + 1);
            continue;
        }
        // A doc comment is an attribute, too.
        if is_punct(at, '#')
            && matches!(tokens.get(at + 1), Some(TokenTree::Group(group)) if group.stream().to_string().starts_with("doc ="))
        {
            at += 2;
            continue;
        }
        let line = tokens[at].span().start().line;
        match &tokens[at] {
            TokenTree::Group(group) => walk(group.stream(), show),
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                let said = text.trim_start_matches('r').trim_matches('#');
                said.strip_prefix('"')
                    .and_then(|said| said.strip_suffix('"'))
                    .into_iter()
                    .for_each(|said| show(Text::Literal(said.into()), line));
            }
            TokenTree::Ident(ident) => {
                let mut path = ident.to_string();
                while let (true, true, Some(TokenTree::Ident(next))) = (is_punct(at + 1, ':'), is_punct(at + 2, ':'), tokens.get(at + 3)) {
                    path.push_str(&format!("::{next}"));
                    at += 3;
                }
                show(Text::Path(path), line);
            }
            TokenTree::Punct(_) => {}
        }
        at += 1;
    }
}

fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    super::collect(root, &root.join("src"), &mut sources);
    sources
}
