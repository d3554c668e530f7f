//! Agents start, stop and fall over.

use std::{fs, path::PathBuf, time::Duration};

use cucumber::{gherkin::Step, given, then, when};
use tokio::time::{Instant, sleep};

use crate::features::{
    agent::Agent,
    wait::{eventually, eventually_within},
    world::World,
};

#[given(regex = r"^an agent (\w+)$")]
#[given(regex = r"^agent (\w+) with$")]
async fn agent(world: &mut World, name: String, step: &Step) {
    launch(world, &name, step).await;
    world.agent_mut(&name).is_ready().await;
}

#[when(regex = r"^agent (\w+) is started with$")]
async fn started(world: &mut World, name: String, step: &Step) {
    launch(world, &name, step).await;
}

/// It may show a certificate for another name than its address.
#[given(regex = r"^agent (\w+) is started, whose certificate is not looked at, with$")]
async fn started_unseen(world: &mut World, name: String, step: &Step) {
    start(world, &name, step);
    log_soon(world, name, "the agent starts".into()).await;
}

#[given(regex = r"^an agent (\w+) with room for (\d+) octets on its disk$")]
async fn agent_on_small_disk(world: &mut World, name: String, octets: u32, step: &Step) {
    world.agent_mut(&name).settings.file_blocks = Some(octets / 512);
    launch(world, &name, step).await;
    world.agent_mut(&name).is_ready().await;
}

#[given(regex = r"^agent (\w+) that knows of no peer it can reach$")]
async fn unsynced(world: &mut World, name: String, step: &Step) {
    let nobody = world.nobody().to_string();
    world.agent_mut(&name).settings.flags.push(("--join".into(), nobody));
    launch(world, &name, step).await;
}

#[given(regex = r"^agent (\w+) joins? through (.+)$")]
#[when(regex = r"^agent (\w+) joins? through (.+)$")]
async fn joins(world: &mut World, name: String, seeds: String, step: &Step) {
    start_with(world, &name, &seeds, step);
    world.agent_mut(&name).is_ready().await;
}

#[given(regex = r"^agent (\w+) starts before its seed (.+)$")]
#[when(regex = r"^agent (\w+) tries to join through (.+)$")]
async fn tries(world: &mut World, name: String, seeds: String, step: &Step) {
    start_with(world, &name, &seeds, step);
}

#[given(regex = r"^a cluster of (.+)$")]
async fn cluster(world: &mut World, names: String, step: &Step) {
    let names = list(&names);
    let first = world.address(&names[0]).to_string();
    for (index, name) in names.iter().enumerate() {
        if index > 0 {
            world.agent_mut(name).settings.flags.push(("--join".into(), first.clone()));
        }
        launch(world, name, step).await;
    }
    for name in &names {
        world.agent_mut(name).is_ready().await;
        for other in &names {
            soon_sees(world, name.clone(), other.clone(), "alive".into()).await;
        }
    }
}

#[when(regex = r"^(\w+) starts again$")]
pub(super) async fn again(world: &mut World, name: String) {
    let agent = world.agent_mut(&name);
    agent.start();
    agent.is_ready().await;
}

/// None of the peers that it knew is there.
#[when(regex = r"^(\w+) starts again alone$")]
pub(super) async fn again_alone(world: &mut World, name: String) {
    let agent = world.agent_mut(&name);
    agent.start();
    agent.answers().await;
}

#[when(regex = r"^(\w+) starts again without --join$")]
async fn again_without_join(world: &mut World, name: String) {
    world.agent_mut(&name).settings.flags.retain(|(flag, _)| flag != "--join");
    again(world, name).await;
}

#[when(regex = r"^(\w+) is killed$")]
async fn killed(world: &mut World, name: String) {
    world.agent_mut(&name).kill().await;
}

/// It takes part no more, but its sockets are still there.
#[when(regex = r"^(\w+) is paused$")]
async fn paused(world: &mut World, name: String) {
    world.agent(&name).signal("STOP").await;
}

#[when(regex = r"^(\w+) is paused for (\d+) ms$")]
async fn paused_for(world: &mut World, name: String, time: u64) {
    world.agent(&name).signal("STOP").await;
    sleep(Duration::from_millis(time)).await;
    world.agent(&name).signal("CONT").await;
}

#[when(regex = r"^(\w+) is stopped by (SIGTERM|SIGINT)$")]
pub(super) async fn stopped(world: &mut World, name: String, signal: String) {
    world.agent(&name).signal(signal.trim_start_matches("SIG")).await;
    let status = world.agent_mut(&name).ends().await;
    assert!(status.success(), "{name} ended with {status}:\n{}", world.agent(&name).log_tail(30));
}

#[then(regex = r"^(\w+) ends by itself$")]
pub(super) async fn ends(world: &mut World, name: String) {
    let status = world.agent_mut(&name).ends().await;
    assert!(status.success(), "{name} ended with {status}:\n{}", world.agent(&name).log_tail(30));
}

#[then(regex = r"^(\w+) goes on$")]
async fn goes_on(world: &mut World, name: String) {
    let agent = world.agent_mut(&name);
    agent.answers().await;
    assert!(agent.runs(), "{name} ended");
}

#[then(regex = r"^(\w+) soon sees (\w+) as (\w+)$")]
pub(super) async fn soon_sees(world: &mut World, observer: String, subject: String, state: String) {
    let observer = world.agent(&observer);
    let what = format!("{} sees {subject} as {state}", observer.name);
    eventually(&what, async || sees(observer, &subject, &state).await).await;
}

#[then(regex = r"^(.+) soon see each other as alive$")]
async fn soon_see_each_other(world: &mut World, names: String) {
    for observer in list(&names) {
        for subject in list(&names) {
            soon_sees(world, observer.clone(), subject, "alive".into()).await;
        }
    }
}

/// A bound that is part of the promise. The machine may be busy, so it is far above what is usual.
#[then(regex = r"^(.+) sees? (\w+) as (\w+) within (\d+) seconds$")]
async fn sees_within(world: &mut World, observers: String, subject: String, state: String, seconds: u64) {
    let (start, bound) = (Instant::now(), Duration::from_secs(seconds));
    for observer in list(&observers) {
        let what = format!("{observer} sees {subject} as {state}");
        let observer = world.agent(&observer);
        eventually_within(bound.saturating_sub(start.elapsed()), &what, async || sees(observer, &subject, &state).await).await;
    }
}

#[then(regex = r"^(\w+) sees (\w+) as (\w+)$")]
async fn sees_now(world: &mut World, observer: String, subject: String, state: String) {
    if let Err(seen) = sees(world.agent(&observer), &subject, &state).await {
        panic!("{observer} does not see {subject} as {state}: {seen}");
    }
}

/// What is not so now may become so by and by: it is looked at again and again, until the time is over.
#[then(regex = r"^for (\d+) seconds (.+) see (.+) as (\w+)$")]
async fn sees_all_along(world: &mut World, seconds: u64, observers: String, subjects: String, state: String) {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(seconds) {
        for observer in list(&observers) {
            for subject in list(&subjects) {
                sees_now(world, observer.clone(), subject, state.clone()).await;
            }
        }
        sleep(Duration::from_millis(100)).await;
    }
}

async fn sees(observer: &Agent, subject: &str, state: &str) -> Result<(), String> {
    let answer = observer.get(&format!("/v1/nodes/{subject}")).await?;
    if answer.json()?.pointer("/state").is_some_and(|seen| seen == state) { Ok(()) } else { Err(answer.to_string()) }
}

#[then(regex = r#"^(\w+)'s log soon says "(.+)"$"#)]
async fn log_soon(world: &mut World, name: String, text: String) {
    let text = world.fill(&text);
    let agent = world.agent(&name);
    eventually(
        &format!("{name}'s log says {text:?}"),
        async || {
            if agent.log_text().contains(&text) { Ok(()) } else { Err(agent.log_tail(30)) }
        },
    )
    .await;
}

#[then(regex = r#"^(\w+)'s log says "(.+)" (once|at most (\d+) times)$"#)]
async fn log_times(world: &mut World, name: String, text: String, times: String, most: String) {
    let text = world.fill(&text);
    let lines: Vec<String> = world.agent(&name).log_text().lines().filter(|line| line.contains(&text)).map(str::to_owned).collect();
    let right = if times == "once" { lines.len() == 1 } else { lines.len() <= most.parse().expect("a number") };
    assert!(right, "{} lines with {text:?}, not {times}:\n{}", lines.len(), lines.join("\n"));
}

#[given(regex = r"^I note (\S+) of GET (\S+) at (\w+)$")]
async fn note(world: &mut World, pointer: String, path: String, name: String) {
    let seen = number(world, &pointer, &path, &name).await.unwrap_or_else(|seen| panic!("{seen}"));
    world.notes.insert(format!("{pointer} of {path}"), seen.to_string());
}

#[then(regex = r"^(\S+) of GET (\S+) at (\w+) is soon higher than noted$")]
async fn higher(world: &mut World, pointer: String, path: String, name: String) {
    let noted: f64 = world.notes[&format!("{pointer} of {path}")].parse().expect("a number was noted");
    let world = &*world;
    eventually(&format!("{pointer} of {path} above {noted}"), async || {
        let seen = number(world, &pointer, &path, &name).await?;
        if seen > noted { Ok(()) } else { Err(format!("{pointer} is {seen}")) }
    })
    .await;
}

async fn number(world: &World, pointer: &str, path: &str, name: &str) -> Result<f64, String> {
    let answer = world.agent(name).get(path).await?;
    answer.json()?.pointer(pointer).and_then(serde_json::Value::as_f64).ok_or_else(|| format!("no number at {pointer}: {answer}"))
}

#[given(regex = r"^(\w+)'s configuration file$")]
#[when(regex = r"^(\w+)'s configuration file becomes$")]
async fn configuration_file(world: &mut World, name: String, step: &Step) {
    let text = world.text(step);
    let path = write(world, &format!("{name}.toml"), &text);
    let keys = text.lines().take_while(|line| !line.starts_with('[')).filter_map(|line| Some(line.split_once('=')?.0.trim().to_owned()));
    let keys = keys.collect();
    world.agent_mut(&name).settings.file = Some((path, keys));
}

#[given(regex = r"^(\w+)'s environment$")]
async fn environment(world: &mut World, name: String, step: &Step) {
    let rows = world.table(step);
    world.agent_mut(&name).settings.environment.extend(rows.into_iter().map(|row| (row[0].clone(), row[1].clone())));
}

#[when(regex = r"^(\w+) receives SIGHUP$")]
async fn reloads(world: &mut World, name: String) {
    world.agent(&name).signal("HUP").await;
}

#[when(regex = r"^the file (\S+) is removed$")]
async fn file_removed(world: &mut World, file: String) {
    fs::remove_file(world.folder().join(file)).expect("it is there");
}

#[given(regex = r"^a file (\S+)$")]
#[when(regex = r"^the file (\S+) becomes$")]
async fn any_file(world: &mut World, file: String, step: &Step) {
    let text = world.text(step);
    write(world, &file, &text);
}

fn write(world: &World, file: &str, text: &str) -> PathBuf {
    let path = world.folder().join(file);
    fs::create_dir_all(path.parent().expect("it is in a folder")).expect("the scenario's folder is writable");
    fs::write(&path, text).expect("the scenario's folder is writable");
    path
}

async fn launch(world: &mut World, name: &str, step: &Step) {
    start(world, name, step);
    world.agent_mut(name).answers().await;
}

/// Starts an agent with the flags of a step's table.
fn start(world: &mut World, name: &str, step: &Step) {
    let rows = world.table(step);
    world.trust(name);
    let agent = world.agent_mut(name);
    agent.settings.flags.extend(rows.into_iter().map(|row| (row[0].clone(), row[1].clone())));
    agent.start();
}

/// The same with seeds, which are names of agents or addresses.
fn start_with(world: &mut World, name: &str, seeds: &str, step: &Step) {
    for seed in list(seeds) {
        // A name with a dot is one that agents are to look up.
        let address = if seed.contains(['{', '.']) { world.fill(&seed) } else { world.address(&seed).to_string() };
        world.agent_mut(name).settings.flags.push(("--join".into(), address));
    }
    start(world, name, step);
}

/// `alpha, beta and gamma`.
pub(super) fn list(words: &str) -> Vec<String> {
    words.replace(" and ", ", ").split(", ").map(str::to_owned).collect()
}
