//! Clients that ask all the while.

use cucumber::{gherkin::Step, then, when};

use super::agents::{again, again_alone as started_again, ends, list, soon_sees, stopped};
use crate::features::{asker::Asker, wait::eventually, world::World};

/// Answers that a client has had at least, so that it has asked all the while.
const MANY: u32 = 20;

#[when(regex = r"^a client beside each of (.+) looks up (\S+) ([A-Z]+) all the while$")]
async fn ask(world: &mut World, names: String, name: String, kind: String) {
    for agent in list(&names) {
        let asker = Asker::start(world.agent(&agent).dns(), name.clone(), kind.clone());
        world.askers.insert(agent, asker);
    }
}

/// Each is back, and seen by all others, before the next one goes.
#[when(regex = r"^(.+) restart one after the other$")]
async fn restart(world: &mut World, names: String) {
    let names = list(&names);
    for name in &names {
        world.askers[name].is_away(true);
        stopped(world, name.clone(), "SIGTERM".to_owned()).await;
        again(world, name.clone()).await;
        world.askers[name].is_away(false);
        for other in &names {
            soon_sees(world, other.clone(), name.clone(), "alive".to_owned()).await;
        }
    }
}

/// All have ended before the first one starts again. The last one starts when the others have met, and were asked for what they can't know.
#[when(regex = r"^(.+) restart at once, and the last of them takes longer$")]
async fn restart_at_once(world: &mut World, names: String) {
    let names = list(&names);
    for name in &names {
        world.askers[name].is_away(true);
        world.agent(name).signal("TERM").await;
    }
    for name in &names {
        ends(world, name.clone()).await;
    }
    let (last, first) = names.split_last().expect("there are some");
    for name in first {
        started_again(world, name.clone()).await;
    }
    for name in first {
        for other in first {
            soon_sees(world, name.clone(), other.clone(), "alive".to_owned()).await;
        }
        let asked = world.askers[name].tally().questions();
        eventually(&format!("the client beside {name} has asked on"), async || {
            let questions = world.askers[name].tally().questions() - asked;
            if questions >= MANY { Ok(()) } else { Err(format!("{questions} times")) }
        })
        .await;
    }
    again(world, last.clone()).await;
    for name in &names {
        world.agent_mut(name).is_ready().await;
        for other in &names {
            soon_sees(world, name.clone(), other.clone(), "alive".to_owned()).await;
        }
        world.askers[name].is_away(false);
    }
}

#[then(regex = r"^each client got these at each answer, and none got an empty one$")]
async fn whole(world: &mut World, step: &Step) {
    let mut expected: Vec<String> = world.table(step).into_iter().map(|row| row[0].clone()).collect();
    expected.sort();
    let expected = expected.join(" ");
    for (name, asker) in &world.askers {
        eventually(&format!("the client beside {name} has had {MANY} answers"), async || {
            let tally = asker.tally();
            if tally.there.get(&expected).is_some_and(|answers| *answers >= MANY) { Ok(()) } else { Err(format!("{tally:?}")) }
        })
        .await;
        let tally = asker.tally();
        assert!(tally.there.len() == 1, "the client beside {name} got others: {tally:?}");
        // An agent that restarts gives no answer, or what it knows; or says that it does not know.
        let empty: Vec<&String> = tally.away.keys().filter(|answer| ["NODATA", "NXDOMAIN"].contains(&answer.as_str())).collect();
        assert!(empty.is_empty(), "the client beside {name} got an empty answer: {tally:?}");
    }
}
