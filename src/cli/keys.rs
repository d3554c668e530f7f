//! `tidings keys`: the keys that gossip is encrypted with.

use std::{collections::BTreeSet, fs::File, io, path::PathBuf};

use clap::{Args, Subcommand};
use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::json;
use zeroize::Zeroizing;

use super::{
    Exit, Failure, Target,
    client::Api,
    output, table,
    view::{Encryption, HeldKey, Items, KeysOfNode, Node},
};
use crate::{
    keyring::{self, Key},
    model::encryption::KeyId,
};

pub(super) const EXAMPLES: &str = "\
To turn encryption on in a running cluster:
  (umask 077; tidings keys generate > keys)  A first key; give the file to every agent as --key-file,
                                             with --encryption off at first, then accept, then require,
                                             each everywhere before the next (SIGHUP takes it over)
To change the key, each step everywhere before the next (tidings keys list --cluster tells):
  (umask 077; tidings keys generate > new)   A new key
  tidings keys add new                       It decrypts
  tidings keys use ID                        It encrypts
  tidings keys remove ID                     The old one is of no use any more";

#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Print a new key, for a file that nobody else may read
    Generate,
    /// List the keys of this agent, or of all
    List(List),
    /// Add a key to those of this agent: it decrypts from now on
    Add(Add),
    /// Have one of this agent's keys encrypt what it says
    Use(Named),
    /// Take a key away from this agent: what is encrypted with it is not read any more
    Remove(Named),
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Those of all agents of the cluster, as they told
    #[arg(long)]
    cluster: bool,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// File with the key; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
pub(super) struct Named {
    /// Id of the key
    #[arg(value_name = "ID")]
    id: KeyId,
    #[command(flatten)]
    target: Target,
}

pub(super) fn run(command: &Keys) -> Result<Exit, Failure> {
    match command {
        Keys::Generate => generate(),
        Keys::List(args) => super::ask(&args.target, |api| list(api, args)),
        Keys::Add(args) => super::ask(&args.target, |api| add(api, args)),
        Keys::Use(args) => super::ask(&args.target, |api| change(api, args, Method::PUT, "/primary", "encrypts from now on")),
        Keys::Remove(args) => super::ask(&args.target, |api| change(api, args, Method::DELETE, "", "is removed")),
    }
}

fn generate() -> Result<Exit, Failure> {
    let mut rng: rand::rngs::StdRng = rand::make_rng();
    let mut line = Key::generate(&mut rng).text();
    line.push('\n');
    output::pass_on(line.as_bytes())?;
    Ok(Exit::Done)
}

async fn list(api: Api, args: &List) -> Result<Exit, Failure> {
    if args.cluster {
        return list_all(api, args).await;
    }
    let answer = api.call(Method::GET, "/v1/agent/keys").await?;
    if args.target.json {
        return answer.pass_on();
    }
    let Encryption { mode, keys } = answer.read()?;
    if !keys.is_empty() {
        output::show(&table::whole(&keys, Timestamp::now()))?;
    }
    output::remark(&format!("encryption is {mode}"));
    Ok(if keys.is_empty() { Exit::No } else { Exit::Done })
}

async fn list_all(api: Api, args: &List) -> Result<Exit, Failure> {
    let answer = api.list("/v1/nodes").await?;
    let nodes = answer.read::<Items<Node>>()?.items;
    let rows: Vec<KeysOfNode> = nodes.iter().map(KeysOfNode::from).collect();
    if args.target.json {
        let items: Vec<_> = rows.iter().map(|row| json!({"node": row.name, "state": row.state, "encryption": row.encryption})).collect();
        output::pass_on(json!({ "items": items }).to_string().as_bytes())?;
        return Ok(Exit::Done);
    }
    output::show(&table::whole(&rows, Timestamp::now()))?;
    output::remark(&summary(&rows));
    Ok(Exit::Done)
}

/// What all that are up have in common, which is what the next step of a change depends on.
fn summary(rows: &[KeysOfNode]) -> String {
    let up: Vec<&KeysOfNode> = rows.iter().filter(|row| !matches!(row.state.as_str(), "down" | "left")).collect();
    let held = |row: &KeysOfNode| row.encryption.keys.iter().map(HeldKey::named).collect::<BTreeSet<_>>();
    let all = up.iter().map(|row| held(row)).reduce(|all, more| &all & &more).unwrap_or_default();
    let primaries: BTreeSet<String> =
        up.iter().filter_map(|row| row.encryption.keys.iter().find(|key| key.primary)).map(HeldKey::named).collect();
    let words =
        |keys: BTreeSet<String>| if keys.is_empty() { "no key".to_owned() } else { keys.into_iter().collect::<Vec<_>>().join(", ") };
    let agreed = if primaries.len() <= 1 { "" } else { ", not all with the same" };
    format!("all agents that are up hold {}, and encrypt with {}{agreed}", words(all), words(primaries))
}

async fn add(api: Api, args: &Add) -> Result<Exit, Failure> {
    let shown = args.file.display();
    let text = read(args).map_err(|error| Failure::usage(format!("{shown}: {error}")))?;
    let lines: Vec<&str> = keyring::lines(&text).map(|(_, line)| line).collect();
    let [line] = lines[..] else {
        return Err(Failure::usage(format!("{shown}: there are {} keys in it; it takes one to add", lines.len())));
    };
    let key = Key::parse(line).map_err(|error| Failure::usage(format!("{shown}: {error}")))?;
    let id = key.id();
    let answer = api.put(&path(id), json!({"key": &*key.text()}).to_string().into_bytes()).await?;
    if args.target.json {
        return answer.pass_on();
    }
    answer.done()?;
    output::show(&match answer.status {
        StatusCode::CREATED => format!("key {id} ({}) decrypts from now on\n", key.fingerprint()),
        _ => format!("key {id} ({}) was there already\n", key.fingerprint()),
    })?;
    Ok(Exit::Done)
}

fn read(args: &Add) -> io::Result<Zeroizing<String>> {
    match args.file.as_os_str() == "-" {
        true => keyring::read_secret(io::stdin().lock()),
        false => keyring::read_secret(File::open(&args.file)?),
    }
}

/// Has something done with a key that is here, and says what it is from then on.
async fn change(api: Api, args: &Named, method: Method, what: &str, done: &str) -> Result<Exit, Failure> {
    let answer = api.call(method, &format!("{}{what}", path(args.id))).await?;
    if args.target.json {
        return answer.pass_on();
    }
    answer.done()?;
    output::show(&format!("key {} {done}\n", args.id))?;
    Ok(Exit::Done)
}

fn path(id: KeyId) -> String {
    format!("/v1/agent/keys/{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, state: &str, keys: &[(u8, bool)]) -> KeysOfNode {
        let keys = keys.iter().map(|(id, primary)| HeldKey { id: *id, fingerprint: format!("{id:08x}"), primary: *primary }).collect();
        KeysOfNode { name: name.into(), state: state.into(), encryption: Encryption { mode: "require".into(), keys } }
    }

    #[test]
    fn the_summary_says_what_all_that_are_up_have_in_common() {
        let rows = [node("a", "alive", &[(5, true), (6, false)]), node("b", "alive", &[(5, true)]), node("c", "down", &[(9, true)])];
        assert_eq!(summary(&rows), "all agents that are up hold 5 (00000005), and encrypt with 5 (00000005)");
        let rows = [node("a", "alive", &[(6, true), (5, false)]), node("b", "alive", &[(5, true), (6, false)])];
        let says =
            "all agents that are up hold 5 (00000005), 6 (00000006), and encrypt with 5 (00000005), 6 (00000006), not all with the same";
        assert_eq!(summary(&rows), says);
        assert_eq!(summary(&[node("a", "alive", &[])]), "all agents that are up hold no key, and encrypt with no key");
    }
}
