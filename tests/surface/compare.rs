//! Holds what the program has against what the features name, in both directions.

use crate::mentions::Mention;

/// One kind of thing: routes, flags, and so on.
pub(crate) struct Kind<'a> {
    /// As in "the program has the ...".
    pub(crate) what: &'a str,
    /// What the program has, as patterns.
    pub(crate) has: &'a [String],
    /// What the features name.
    pub(crate) named: &'a [Mention],
    /// What features name because it does not exist, and why they do.
    pub(crate) absent: &'a [(&'a str, &'a str)],
    /// Whether a pattern covers a name, and how closely: a name counts for those that cover it most closely.
    pub(crate) covers: fn(pattern: &str, name: &str) -> Option<usize>,
}

impl Kind<'_> {
    /// Every difference, for people; empty when there is none.
    pub(crate) fn differences(&self) -> Vec<String> {
        if self.has.is_empty() {
            return vec![format!("the program has no {} at all: its own table was not read", self.what)];
        }
        let mut differences = Vec::new();
        let mut unnamed: Vec<&String> = self.has.iter().collect();
        for mention in self.named {
            let covering = self.covering(&mention.text);
            let at = format!("{}:{}", mention.file, mention.line);
            match (covering.is_empty(), self.is_absent(&mention.text)) {
                (true, false) => differences.push(format!(
                    "{at} names the {} `{}`, which the program does not have; the nearest is `{}`",
                    self.what,
                    mention.text,
                    self.nearest(&mention.text)
                )),
                (false, true) => differences.push(format!(
                    "{at} names the {} `{}`, which the program has: take it off the list of what is absent",
                    self.what, mention.text
                )),
                _ => unnamed.retain(|pattern| !covering.contains(&pattern.as_str())),
            }
        }
        differences.extend(unnamed.iter().map(|pattern| {
            format!("the program has the {} `{pattern}`, but no feature names it: show what it does in features/, or remove it", self.what)
        }));
        let stale = self.absent.iter().filter(|(text, _)| self.named.iter().all(|mention| mention.text != *text));
        differences.extend(
            stale.map(|(text, why)| format!("no feature names the {} `{text}` ({why}): take it off the list of what is absent", self.what)),
        );
        differences
    }

    fn covering(&self, name: &str) -> Vec<&str> {
        let covering: Vec<(&str, usize)> =
            self.has.iter().filter_map(|pattern| Some((pattern.as_str(), (self.covers)(pattern, name)?))).collect();
        let closest = covering.iter().map(|(_, closeness)| *closeness).max();
        covering.into_iter().filter(|(_, closeness)| Some(*closeness) == closest).map(|(pattern, _)| pattern).collect()
    }

    fn is_absent(&self, name: &str) -> bool {
        self.absent.iter().any(|(text, _)| *text == name)
    }

    fn nearest(&self, name: &str) -> &str {
        let distance = |pattern: &&String| strsim::levenshtein(pattern, name);
        self.has.iter().min_by_key(distance).map_or("", String::as_str)
    }
}

/// For flags, variables and types of problems.
pub(crate) fn exactly(pattern: &str, name: &str) -> Option<usize> {
    (pattern == name).then_some(0)
}

/// For routes: `GET /v1/nodes/{node}`. A path without a method counts for all of its methods, and what answers `GET`
/// answers `HEAD`.
pub(crate) fn route(pattern: &str, name: &str) -> Option<usize> {
    let (method, template) = pattern.split_once(' ')?;
    let path = match name.split_once(' ') {
        Some((named, path)) => Some(path).filter(|_| named == method || (named == "HEAD" && method == "GET"))?,
        None => name,
    };
    parts('/', template, path, |part, text| match placeholder(part) {
        Some(_) => (!text.is_empty()).then_some(0),
        None => exactly(part, text).map(|_| 1),
    })
}

/// For metrics: a histogram has its sums, counts and buckets.
pub(crate) fn metric(pattern: &str, name: &str) -> Option<usize> {
    crate::names::covers(pattern, name).then_some(0)
}

/// For commands: `config check` covers every command line that begins so.
pub(crate) fn command(pattern: &str, name: &str) -> Option<usize> {
    let rest = name.strip_prefix(pattern)?;
    (rest.is_empty() || rest.starts_with(' ')).then_some(pattern.len())
}

/// For keys of the file: `service.meta.*` covers every key of that table.
pub(crate) fn key(pattern: &str, name: &str) -> Option<usize> {
    parts('.', pattern, name, |part, text| if part == "*" { Some(0) } else { exactly(part, text).map(|_| 1) })
}

/// For forms of DNS names: `_{service}._{protocol}.service`, and `@` for the domain itself. Some placeholders take
/// certain labels only: `{protocol}` is `tcp` or `udp`, and where an underscore stands before it, `{tag}` is neither;
/// `{hex}` is an address in hexadecimal; `{reversed}` is one backwards, in as many labels as it takes.
pub(crate) fn form(pattern: &str, name: &str) -> Option<usize> {
    if let Some(suffix) = pattern.strip_prefix("{reversed}") {
        return name.strip_suffix(suffix).map(|_| 1);
    }
    parts('.', pattern, name, |part, label| {
        let (marked, inner) = part.strip_prefix('_').map_or((false, part), |inner| (true, inner));
        let Some(placeholder) = placeholder(inner) else { return exactly(part, label).map(|_| 2) };
        let label = if marked { label.strip_prefix('_')? } else { Some(label).filter(|label| !label.starts_with('_'))? };
        let is_protocol = matches!(label, "tcp" | "udp");
        match placeholder {
            _ if label.is_empty() => None,
            "protocol" => is_protocol.then_some(1),
            "tag" if marked => (!is_protocol).then_some(0),
            "hex" => (matches!(label.len(), 8 | 32) && label.bytes().all(|octet| octet.is_ascii_hexdigit())).then_some(1),
            _ => Some(0),
        }
    })
}

fn placeholder(part: &str) -> Option<&str> {
    part.strip_prefix('{')?.strip_suffix('}')
}

/// The sum of how closely each part of the pattern covers the part of the name at its place.
fn parts(separator: char, pattern: &str, name: &str, covers: impl Fn(&str, &str) -> Option<usize>) -> Option<usize> {
    let (patterns, names) = (pattern.split(separator), name.split(separator));
    if patterns.clone().count() != names.clone().count() {
        return None;
    }
    patterns.zip(names).map(|(part, text)| covers(part, text)).sum()
}
