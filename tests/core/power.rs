//! What is left when the power goes at any moment.

use std::{collections::BTreeMap, time::Duration};

use tidings::{
    core::io::CommandId,
    model::{Command, InstanceId, Registration, check::Subject},
};

use super::{
    SECOND, deregister,
    world::{World, instance},
};

/// What an instance amounts to: its port, and whether it is in maintenance; nothing where it is gone.
type State = Option<(u16, bool)>;

#[test]
fn what_was_acknowledged_survives_a_loss_of_power_at_any_moment() {
    let mut cut_short = 0;
    for seed in 0..150 {
        let mut world = World::new(seed);
        let agent = world.start("a", &[]);
        let ids: Vec<InstanceId> = (0..3).map(|n| InstanceId::new(&format!("web-{n}")).expect("an id")).collect();
        // What each instance may be after a loss of power, the acknowledged state first.
        let mut possible: BTreeMap<&InstanceId, Vec<(Option<CommandId>, State)>> = ids.iter().map(|id| (id, vec![(None, None)])).collect();
        for _ in 0..4 {
            for _ in 0..world.random(12) {
                let id = &ids[world.random(3) as usize];
                let states = possible.get_mut(id).expect("one of ours");
                let (_, before) = *states.last().expect("never empty");
                let (command, state) = command(&mut world, id, before);
                let command = world.submit(agent, command);
                // Who does not wait for a registration may ask for maintenance of what is not there yet.
                if world.reply(agent, command).is_none_or(Result::is_ok) {
                    states.push((Some(command), state));
                }
                let pause = world.random(3);
                world.run(Duration::from_micros(u64::from(pause) * 400));
            }
            for states in possible.values_mut() {
                let acknowledged =
                    |(id, _): &(Option<CommandId>, State)| id.is_none_or(|id| world.reply(agent, id).is_some_and(Result::is_ok));
                let last = states.iter().rposition(acknowledged).expect("the first is");
                states.drain(..last);
                cut_short += states.len() - 1;
            }
            world.restart(agent);
            for (id, states) in &mut possible {
                let seen = world.own(agent, id);
                assert!(states.iter().any(|(_, state)| *state == seen), "seed {seed}: {id} is {seen:?}, not one of {states:?}");
                *states = vec![(None, seen)];
            }
            world.run(SECOND);
        }
    }
    assert!(cut_short > 200, "the power goes between a write and its acknowledgement: {cut_short} times");
}

fn command(world: &mut World, id: &InstanceId, before: State) -> (Command, State) {
    match (world.random(4), before) {
        (0, Some(_)) => (deregister(id.clone()), None),
        (1, Some((port, maintained))) => {
            let reason = (!maintained).then(|| "new disk".to_owned());
            (Command::Maintain { subject: Subject::Instance(id.clone()), reason }, Some((port, !maintained)))
        }
        _ => {
            let port = 1 + world.random(60_000) as u16;
            let mut instance = instance(id.as_str(), "web");
            instance.port = port;
            (Command::Register(Registration::plain(instance)), Some((port, before.is_some_and(|(_, maintained)| maintained))))
        }
    }
}
