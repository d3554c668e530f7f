//! Hosts of their own for agents, and what networks do.

use std::net::SocketAddr;

use cucumber::{gherkin::Step, given, then, when};

use super::agents::list;
use crate::features::{
    addresses::{DNS, GOSSIP},
    dns::{self, Way},
    world::World,
};

/// What a network does or refuses.
fn done<T>(result: Result<T, String>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

#[given(regex = r"^hosts? (\w+|\w+(?:, \w+)* and \w+) with (IPv4|IPv6|IPv4 and IPv6)$")]
async fn hosts(world: &mut World, names: String, families: String) {
    for name in list(&names) {
        done(world.network().add(&name, &families));
    }
}

#[given(regex = r"^(\w+)'s host has a second address$")]
async fn second_address(world: &mut World, name: String) {
    done(world.network().add_address(&name));
}

/// It has no name and no agent: it is called `{router}`.
#[given(regex = r"^hosts? (\w+|\w+(?:, \w+)* and \w+) behind a router that hides (?:it|them)$")]
async fn hidden(world: &mut World, names: String) {
    for name in list(&names) {
        done(world.network().add_behind_router(&name));
    }
}

#[given(regex = r"^the router forwards its port (\d+) to (\w+)'s gossip port$")]
async fn forwarded(world: &mut World, port: u16, name: String) {
    done(world.network().forward(port, &name, GOSSIP));
}

#[given(regex = r"^the name (\S+) means (.+)$")]
#[when(regex = r"^the name (\S+) comes to mean (.+)$")]
async fn name_means(world: &mut World, name: String, meant: String) {
    let addresses = match meant.as_str() {
        "nobody" => Vec::new(),
        hosts => list(hosts).iter().map(|host| world.address(host)).collect(),
    };
    done(world.network().set_name(&name, addresses));
}

#[when(regex = r"^(\w+)'s host is cut off$")]
async fn cut_off(world: &mut World, name: String) {
    let network = world.network();
    done(network.lose(Some(&name), None));
    done(network.lose(None, Some(&name)));
}

#[when(regex = r"^nothing that (\w+) sends arrives( at (\w+))?$")]
async fn sends_in_vain(world: &mut World, from: String, at: String, to: String) {
    let to = (!at.is_empty()).then_some(to.as_str());
    done(world.network().lose(Some(&from), to));
}

#[when(regex = r"^(\d+) % of all packets are lost$")]
async fn lossy(world: &mut World, percent: u8) {
    done(world.network().lose_some(percent));
}

#[when(regex = r"^nothing that is sent to (\w+) arrives$")]
async fn hears_nothing(world: &mut World, to: String) {
    done(world.network().lose(None, Some(&to)));
}

#[when(regex = r"^the network is whole again$")]
async fn whole(world: &mut World) {
    done(world.network().mend());
}

/// Who asks takes no answer that comes from another address than the one that was asked.
#[then(regex = r"^(\S+) ([A-Z]+) at (\S+), asked from (\w+)'s host, gives$")]
async fn asked_from(world: &mut World, name: String, kind: String, server: String, asker: String, step: &Step) {
    let server = world.fill(&server).parse().expect("an address");
    let asker = world.address(&asker);
    let expected: Vec<String> = world.table(step).into_iter().map(|row| row[0].clone()).collect();
    let reply = done(dns::look_up_from(asker, SocketAddr::new(server, DNS), &name, &kind, Way::Udp).await);
    assert_eq!(reply.data(), expected, "{reply}");
    world.reply = Some(reply);
}
