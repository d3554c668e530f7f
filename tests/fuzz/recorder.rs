//! The part of the corpus that is real: what two agents' cores say to each other, the journals that they write, and what the features send to agents.
//!
//! `TIDINGS_RECORD_CORPUS=1 cargo test --test fuzz` writes it to `fuzz/corpus/`, in files named `real-*`.

use std::{collections::BTreeSet, fs, hash::Hasher as _, path::Path, time::Duration};

use hickory_proto::{
    op::{Edns, Message, Query},
    rr::{Name, RecordType},
};
use rand::{SeedableRng as _, rngs::StdRng};

use tidings::{
    access::{Scope, Secret, Token},
    keyring::Key,
    model::{ClusterName, Command, Registration, command::Cause},
    store::Store,
    wire::{
        envelope::{self, Carrier},
        message::kind,
    },
};

use super::{
    corpus,
    pair::{Carried, Pair, instance},
    targets::{self, TARGETS},
};

/// Octets of an input that is kept. Few are larger, and what they have to show smaller ones show, too.
const KEPT_OCTETS: usize = 6 * 1024;
/// Inputs that are kept for a target.
const KEPT: usize = 60;

type Inputs = BTreeSet<Vec<u8>>;

#[test]
fn what_agents_say_and_are_told_is_borne() {
    for (name, target) in TARGETS {
        let inputs = recorded(name);
        assert!(!inputs.is_empty(), "nothing was recorded for {name}");
        inputs.iter().for_each(|octets| target(octets));
        if std::env::var_os("TIDINGS_RECORD_CORPUS").is_some() {
            write(name, inputs);
        }
    }
}

fn recorded(target: &str) -> Inputs {
    match target {
        "configuration" => documents().into_iter().filter(|text| !text.starts_with('{')).map(String::into_bytes).collect(),
        "dns_query" => questions(),
        "gossip_datagram" => datagrams(),
        "gossip_stream" => streams(),
        "http_body" => bodies(),
        "http_query" => queries(),
        "journal" => journals(),
        "key_file" => keys(),
        "scenario" => scenarios(),
        "token_file" => tokens(),
        other => panic!("nobody records for {other}"),
    }
}

fn write(target: &str, inputs: Inputs) {
    let folder = corpus::folder(target);
    fs::create_dir_all(&folder).expect("a folder can be made");
    let mut inputs: Vec<_> = inputs.into_iter().filter(|octets| octets.len() <= KEPT_OCTETS).collect();
    // Some of each size.
    inputs.sort_by_key(Vec::len);
    let step = inputs.len().div_ceil(KEPT).max(1);
    for octets in inputs.into_iter().step_by(step) {
        let mut hasher = siphasher::sip::SipHasher13::new();
        hasher.write(&octets);
        let file = folder.join(format!("real-{:016x}", hasher.finish()));
        fs::write(file, octets).expect("a file can be written");
    }
}

/// All that one of two agents says to the other, in its order.
fn talk(seed: u64) -> Vec<Carried> {
    let mut said = Vec::new();
    let mut pair = Pair::new(seed);
    for n in 0..6 {
        for end in 0..2 {
            let command = match n {
                5 => Command::Deregister { instance: instance("i-1").id, cause: Cause::Asked },
                _ => Command::Register(Registration::plain(instance(&format!("i-{n}")))),
            };
            pair.command(end, command).expect("is taken");
        }
        let mut count = 0;
        let mut record = |from: usize, carried: Carried| {
            count += 1;
            if from == 1 {
                said.push(carried.clone());
            }
            // Datagrams are lost now and then, so that streams have something to say.
            if matches!(carried, Carried::Datagram(_)) && count % 3 > 0 { vec![] } else { vec![carried] }
        };
        pair.run_through(Duration::from_secs(4), &mut record);
    }
    said
}

fn datagrams() -> Inputs {
    let mut inputs = Inputs::new();
    for seed in 0..2 {
        let said: Vec<Vec<u8>> = talk(seed).into_iter().filter_map(datagram).collect();
        for mode in [0, targets::gossip_datagram::SEALED | targets::gossip_datagram::KNOWS_THE_KEY, targets::gossip_datagram::STRANGER] {
            for some in [1, 4, 12] {
                inputs.extend(said.chunks(some).map(|said| behind_lengths(mode, said)));
            }
        }
        let closed = said.iter().map(|clear| {
            targets::gossip::seal().close(
                Carrier::Datagram,
                clear.clone(),
                tidings::wire::seal::Nonce::new(targets::gossip::LATER, [1; 8]),
                &[],
            )
        });
        inputs.extend(closed.map(|closed| behind_lengths(targets::gossip_datagram::SEALED, &[closed])));
    }
    inputs
}

fn datagram(carried: Carried) -> Option<Vec<u8>> {
    match carried {
        Carried::Datagram(bytes) => Some(bytes),
        Carried::Frame(_) => None,
    }
}

fn behind_lengths(mode: u8, said: &[Vec<u8>]) -> Vec<u8> {
    let mut input = vec![mode];
    for bytes in said {
        input.extend((bytes.len() as u16).to_be_bytes());
        input.extend(bytes);
    }
    input
}

fn streams() -> Inputs {
    use targets::gossip_stream::{IN_PIECES, KNOWS_THE_KEY, OURS, SEALED, UNREAD};
    let mut inputs = Inputs::new();
    for seed in 0..2 {
        let mut streams: Vec<Vec<u8>> = Vec::new();
        for carried in talk(seed) {
            let Carried::Frame(bytes) = carried else { continue };
            match streams.last_mut().filter(|_| !begins(&bytes)) {
                Some(stream) => stream.extend(bytes),
                None => streams.push(bytes),
            }
        }
        for mode in [0, IN_PIECES, OURS, UNREAD, SEALED | KNOWS_THE_KEY, SEALED | KNOWS_THE_KEY | OURS, SEALED] {
            inputs.extend(streams.iter().map(|stream| [&[mode], &stream[..]].concat()));
        }
    }
    inputs
}

/// Whether this is the first frame that somebody says in a stream.
fn begins(frame: &[u8]) -> bool {
    let messages = envelope::open(Carrier::Frame, &frame[4..]).map(|(_, messages)| messages).unwrap_or_default();
    matches!(messages.first(), Some((kind::HELLO | kind::WATCH | kind::PROBE, _)))
}

fn journals() -> Inputs {
    let mut inputs = Inputs::new();
    let cluster = ClusterName::new("test").expect("a name");
    let mut pair = Pair::new(1);
    let disk = targets::journal::Memory::default();
    let rng = &mut StdRng::seed_from_u64(1);
    let (mut store, mut contents) = Store::on(disk.clone(), None, Path::new("tidings.journal"), &cluster, rng).expect("a new one");
    inputs.insert(disk.octets());
    store.begin(&mut contents, b"boot", rng).expect("the disk takes everything");
    for n in 0..6 {
        let command = match n {
            4 => Command::Deregister { instance: instance("i-1").id, cause: Cause::Asked },
            5 => Command::Forget(targets::gossip::PEER),
            _ => Command::Register(Registration::plain(instance(&format!("i-{n}")))),
        };
        // That of a node which is up is refused, and none is written.
        let _ = pair.command(0, command);
        pair.run(Duration::from_secs(20));
        store.append(&std::mem::take(&mut pair.stored[0])).expect("the disk takes everything");
        inputs.insert(disk.octets());
    }
    inputs
}

fn keys() -> Inputs {
    let rng = &mut StdRng::seed_from_u64(1);
    let mut inputs = Inputs::new();
    let mut text = "# Keys of a cluster's gossip. The first one encrypts, all of them decrypt.\n".to_owned();
    for _ in 0..4 {
        text += &format!("{}  # of May\n", &*Key::generate(rng).text());
        inputs.insert(text.clone().into_bytes());
    }
    inputs
}

fn tokens() -> Inputs {
    let rng = &mut StdRng::seed_from_u64(1);
    let mut inputs = Inputs::new();
    let mut text = String::new();
    let scopes = [vec![Scope::Read], vec![Scope::Operate], vec![Scope::Register("web".into()), Scope::Read]];
    for (n, scopes) in (0..).zip(scopes) {
        let expires = (n > 0).then(|| std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 * n));
        text += &Token { name: format!("ci-{n}"), hash: Secret::generate(rng).hash(), scopes, expires }.table();
        inputs.insert(text.clone().into_bytes());
    }
    inputs
}

fn scenarios() -> Inputs {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("simulations");
    let entries = fs::read_dir(folder).expect("the scenarios are there");
    entries.map(|entry| fs::read(entry.expect("a file").path()).expect("a scenario can be read")).collect()
}

fn questions() -> Inputs {
    let mut names: BTreeSet<(String, RecordType)> = BTreeSet::new();
    for text in features() {
        let words: Vec<&str> = text.split_whitespace().collect();
        let pairs = words.windows(2).filter(|pair| pair[0].ends_with("internal") || pair[0].starts_with("web."));
        names.extend(pairs.filter_map(|pair| Some((pair[0].to_owned(), pair[1].parse().ok()?))));
    }
    names.extend([RecordType::A, RecordType::SRV, RecordType::ANY].map(|kind| ("many.service.tidings.internal".to_owned(), kind)));
    let mut inputs = Inputs::new();
    for (name, kind) in names {
        let Ok(mut name) = Name::from_ascii(&name) else { continue };
        name.set_fqdn(true);
        for payload in [None, Some(1_232), Some(4_096)] {
            let mut message = Message::query();
            message.metadata.recursion_desired = true;
            message.add_query(Query::query(name.clone(), kind));
            if let Some(payload) = payload {
                let mut edns = Edns::new();
                edns.set_max_payload(payload).set_version(0);
                message.set_edns(edns);
            }
            let octets = message.to_vec().expect("a question can be written");
            inputs.extend([0, 1].map(|way| [&[way], &octets[..]].concat()));
        }
    }
    inputs
}

/// JSON of the features goes where registrations go, and to another place each.
fn bodies() -> Inputs {
    let objects = documents().into_iter().filter(|text| text.starts_with('{'));
    let cells = features().into_iter().flat_map(|text| {
        let cells = text.split('|').map(str::trim).filter(|cell| cell.starts_with('{')).map(str::to_owned);
        cells.collect::<Vec<_>>()
    });
    let mut inputs = Inputs::new();
    for (n, text) in objects.chain(cells).enumerate() {
        let other = (1 + n % (targets::http::BODIES.len() - 1)) as u8;
        inputs.extend([0, other].map(|place| [&[place], text.as_bytes()].concat()));
    }
    inputs
}

fn queries() -> Inputs {
    let words = features().into_iter().flat_map(|text| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    words.filter(|word| word.starts_with("/v1") || word.starts_with("/health")).map(String::into_bytes).collect()
}

fn features() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("features");
    let mut files: Vec<_> = fs::read_dir(folder).expect("the features are there").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    files.iter().map(|file| fs::read_to_string(file).expect("a feature can be read")).collect()
}

/// What stands in the features between triple quotes: bodies, and files.
fn documents() -> Vec<String> {
    let mut documents = Vec::new();
    for text in features() {
        for document in text.split("\"\"\"").skip(1).step_by(2) {
            let lines: Vec<&str> = document.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
            documents.push(lines.join("\n"));
        }
    }
    documents
}
