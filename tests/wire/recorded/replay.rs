//! What was recorded reaches a core of today, which knows nobody yet: nothing of it counts as an error.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use tidings::{
    core::{
        Core, Settings,
        io::{Event, Input, Output, StreamId},
        time::Moment,
    },
    keyring::{Key, Keyring},
    model::{ClusterName, Life, NodeId, NodeName, encryption::Mode, node::NodeInfo},
    wire::{
        frame,
        message::{Hello, Message as _, kind},
        seal::Seal,
    },
};

use super::{
    files::{Carrier, File, Folder, KEY},
    reading,
};

/// What is dropped because the core is none of those that talked: it is not who is meant, and does not know who is spoken of.
const BESIDE_THE_POINT: [&str; 5] = ["not_for_us", "no_such_member", "ahead_of_member", "more_than_asked", "too_many_members"];

pub(super) fn into_a_core(folder: &Folder, file: &File) {
    let from: SocketAddr = ([127, 77, 0, 99], 8746).into();
    match file.carrier {
        Carrier::Datagrams => {
            let mut core = core(&folder.cluster, file.sealed);
            let datagrams = folder.datagrams(file);
            for bytes in &datagrams {
                core.handle(Moment::default(), Input::Datagram { from, bytes });
                assert_borne(&mut core, &file.name);
            }
            assert_eq!(core.taken(), datagrams.len() as u64, "{}: all of them are taken", file.name);
        }
        Carrier::Streams => {
            for (number, stream) in folder.streams(file).iter().enumerate() {
                // What somebody says once he has heard an answer, encrypted, is bound to that answer: it was another one's.
                let frames = if file.sealed { &stream[0][..1] } else { &stream[0][..] };
                let mut core = core(&folder.cluster, file.sealed);
                let id = StreamId::accepted(1);
                core.handle(Moment::default(), Input::Accepted { stream: id, from });
                for bytes in frames {
                    core.handle(Moment::default(), Input::Received { stream: id, bytes: &frame::encode(bytes) });
                    assert_borne(&mut core, &format!("{}, stream {number}", file.name));
                }
                assert!(core.taken() > 0, "{}, stream {number}: nothing was taken", file.name);
                if let Some(hello) = greeting(folder, file, number) {
                    let life = core.life_of(hello.from.node());
                    assert!(life.is_some() || hello.from.node() == core.identity().node(), "{}, stream {number}: {hello:?}", file.name);
                }
            }
        }
    }
}

/// What a member, or one that is to become one, begins a stream with.
fn greeting(folder: &Folder, file: &File, number: usize) -> Option<Hello> {
    let stream = folder.streams(file).swap_remove(number);
    let opened = reading::open(&reading::seal(file.sealed), &stream, 0, 0).ok()?;
    let messages = opened.messages().ok()?;
    let (_, body) = messages.iter().find(|(kind, _)| *kind == kind::HELLO)?;
    Hello::from_bytes(body).ok().filter(|hello| !matches!(hello.standing, tidings::wire::message::Standing::KeptOut(_)))
}

fn assert_borne(core: &mut Core, what: &str) {
    while let Some(output) = core.poll_output() {
        match output {
            Output::Event(Event::Dropped { reason, .. }) => assert!(BESIDE_THE_POINT.contains(&reason), "{what}: {reason}"),
            Output::Event(event @ (Event::OtherVersion { .. } | Event::Internal(_))) => panic!("{what}: {event:?}"),
            Output::Store { ticket, .. } => core.handle(Moment::default(), Input::Stored { ticket, result: Ok(()) }),
            _ => {}
        }
    }
}

/// One that takes what is encrypted with the key, of whatever age, and what is not.
fn core(cluster: &str, sealed: bool) -> Core {
    let address: SocketAddr = ([127, 77, 0, 98], 8746).into();
    let key = Key::new(KEY.0.parse().expect("an id"), [KEY.1; 32]);
    let mode = if sealed { Mode::Accept } else { Mode::Off };
    let mut core = Core::new(Settings {
        cluster: ClusterName::new(cluster).expect("a name"),
        node: NodeId(98),
        life: Life { generation: 1, nonce: 98 },
        address,
        info: NodeInfo {
            name: NodeName::new("today").expect("a name"),
            addresses: vec![address.ip()],
            zone: None,
            meta: BTreeMap::new(),
            agent_version: "test".into(),
            wire_versions: (tidings::wire::LOWEST_VERSION, tidings::wire::HIGHEST_VERSION),
            left: false,
            grace_seconds: None,
            maintenance: None,
            encryption: Default::default(),
        },
        seal: Seal::new(mode, &Keyring::new(vec![key]).expect("it is one")),
        seconds: 0,
        seeds: 0,
        members: vec![],
        peers: vec![],
        records: BTreeMap::new(),
        graves: vec![],
        node_checks: Vec::new(),
        host_rebooted: false,
        random_seed: 1,
        reap_after: Duration::from_secs(86_400),
    });
    core.start(Moment::default());
    assert_borne(&mut core, "its start");
    core
}
