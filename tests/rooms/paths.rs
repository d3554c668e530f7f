//! The paths that a source file names, wherever they stand: in a `use` with its groups, in an expression, in a type,
//! within the arguments of a macro. Comments and strings name nothing.

use std::{collections::BTreeMap, str::FromStr};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A path as it is written, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    /// Its segments. The first is `crate` where it is one of this crate's, however it was written.
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
}

/// What a file names.
#[derive(Debug, Default)]
pub(crate) struct Named {
    /// As written, with `self` and `super` resolved.
    pub(crate) paths: Vec<Path>,
    /// Names that a `use` brings in, with all that they mean somewhere in the file.
    pub(crate) aliases: BTreeMap<String, Vec<Vec<String>>>,
    /// The modules declared at the top of the file.
    pub(crate) modules: Vec<Path>,
}

/// Reads a file that holds this module (empty for the root of the crate).
pub(crate) fn read(module: &[&str], source: &str) -> Result<Named, String> {
    let tokens = TokenStream::from_str(source).map_err(|error| format!("line {}: {error}", error.span().start().line))?;
    let mut reader = Reader { module: module.iter().map(|name| (*name).to_owned()).collect(), named: Named::default(), top: true };
    reader.items(tokens);
    Ok(reader.named)
}

impl Named {
    /// What a path means: itself, and what it is with its first segment resolved through the aliases of the file.
    pub(crate) fn meanings(&self, path: &Path) -> Vec<Vec<String>> {
        let mut meanings = vec![path.segments.clone()];
        let mut next = 0;
        // An alias may stand for another one; the bound ends those that stand for each other.
        while next < meanings.len() && meanings.len() < 64 {
            let segments = meanings[next].clone();
            for target in self.aliases.get(&segments[0]).into_iter().flatten() {
                let resolved: Vec<String> = target.iter().chain(&segments[1..]).cloned().collect();
                if !meanings.contains(&resolved) {
                    meanings.push(resolved);
                }
            }
            next += 1;
        }
        meanings
    }
}

struct Reader {
    module: Vec<String>,
    named: Named,
    top: bool,
}

impl Reader {
    fn items(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            at = self.item(&tokens, at);
        }
    }

    /// Reads what begins here, and tells where the next begins.
    fn item(&mut self, tokens: &[TokenTree], at: usize) -> usize {
        match &tokens[at] {
            TokenTree::Group(group) => {
                let top = std::mem::replace(&mut self.top, false);
                self.items(group.stream());
                self.top = top;
                at + 1
            }
            TokenTree::Ident(ident) if *ident == "use" => self.use_tree(tokens, at + 1, Vec::new()),
            TokenTree::Ident(ident) if *ident == "mod" => self.module(tokens, at + 1),
            TokenTree::Ident(_) => self.path(tokens, at),
            TokenTree::Punct(_) | TokenTree::Literal(_) => at + 1,
        }
    }

    fn module(&mut self, tokens: &[TokenTree], at: usize) -> usize {
        let Some(TokenTree::Ident(name)) = tokens.get(at) else { return at };
        if self.top {
            self.named.modules.push(Path { segments: vec![name.to_string()], line: name.span().start().line });
        }
        if let Some(TokenTree::Group(body)) = tokens.get(at + 1) {
            let top = std::mem::replace(&mut self.top, false);
            self.module.push(name.to_string());
            self.items(body.stream());
            self.module.pop();
            self.top = top;
        }
        at + 2
    }

    /// A path outside of a `use`: segments until something else than `::` and a name follows.
    fn path(&mut self, tokens: &[TokenTree], at: usize) -> usize {
        let line = tokens[at].span().start().line;
        let mut segments = vec![tokens[at].to_string()];
        let mut next = at + 1;
        while let (true, Some(TokenTree::Ident(ident))) = (is_separator(tokens, next), tokens.get(next + 2)) {
            segments.push(ident.to_string());
            next += 3;
        }
        self.add(segments, line);
        next
    }

    /// A tree of a `use` below these segments, up to the comma or semicolon that ends it.
    fn use_tree(&mut self, tokens: &[TokenTree], mut at: usize, mut segments: Vec<String>) -> usize {
        let mut line = 0;
        let mut alias = None;
        loop {
            match tokens.get(at) {
                Some(TokenTree::Ident(ident)) if *ident == "as" => {
                    alias = tokens.get(at + 1).map(ToString::to_string);
                    at += 2;
                }
                Some(TokenTree::Ident(ident)) => {
                    line = ident.span().start().line;
                    if *ident != "self" || segments.is_empty() {
                        segments.push(ident.to_string());
                    }
                    at += 1;
                }
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    let branches: Vec<TokenTree> = group.stream().into_iter().collect();
                    let mut branch = 0;
                    while branch < branches.len() {
                        branch = self.use_tree(&branches, branch, segments.clone());
                    }
                    return at + 1;
                }
                Some(TokenTree::Punct(punct)) if punct.as_char() == '*' => {
                    line = punct.span().start().line;
                    segments.push("*".to_owned());
                    at += 1;
                }
                Some(TokenTree::Punct(punct)) if punct.as_char() == ':' => at += 1,
                _ => break,
            }
        }
        if line > 0 {
            let path = self.add(segments, line);
            let name = alias.or_else(|| path.last().cloned()).filter(|name| name != "*" && name != "_" && [name.clone()] != path[..]);
            if let Some(name) = name {
                self.named.aliases.entry(name).or_default().push(path);
            }
        }
        at + 1
    }

    fn add(&mut self, segments: Vec<String>, line: usize) -> Vec<String> {
        let segments = self.resolve(segments);
        self.named.paths.push(Path { segments: segments.clone(), line });
        segments
    }

    /// Writes paths of this crate as they are seen from its root.
    fn resolve(&self, segments: Vec<String>) -> Vec<String> {
        let segments: Vec<String> = segments.into_iter().map(|it| it.trim_start_matches("r#").to_owned()).collect();
        let ups = segments.iter().position(|it| it != "self" && it != "super").unwrap_or(segments.len());
        let supers = segments[..ups].iter().filter(|it| *it == "super").count();
        // A `self` alone is a value, most often.
        let relative = supers > 0 || (ups > 0 && segments.len() > 1);
        if relative {
            let here = &self.module[..self.module.len().saturating_sub(supers)];
            return ["crate".to_owned()].iter().chain(here).chain(&segments[ups..]).cloned().collect();
        }
        if segments[0] == "tidings" {
            return ["crate".to_owned()].iter().chain(&segments[1..]).cloned().collect();
        }
        segments
    }
}

fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    let colon = |at| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    colon(at) && colon(at + 1)
}
