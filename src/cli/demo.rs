//! `tidings demo`: a small cluster on loopback that shows registration, lookup, failure and recovery.

mod cluster;
mod lookup;
mod story;

use std::{io::IsTerminal, time::Duration};

use tokio::{
    signal::unix::{SignalKind, signal},
    time::{Instant, sleep, sleep_until},
};

use self::{
    cluster::{Agent, Cluster},
    lookup::Lookup,
    story::Story,
};
use super::{Exit, Failure, table};

/// How long the whole may take, with what is left for trying things by hand at its end.
const MINUTE: Duration = Duration::from_secs(58);
/// How long each thing that is waited for may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often is looked whether it has come.
const GLANCE: Duration = Duration::from_millis(20);

/// Runs the demo to its end, or until somebody has seen enough. Its agents and its folder are gone afterwards.
pub(super) async fn run() -> Result<Exit, Failure> {
    let until = Instant::now() + MINUTE;
    let interrupted = interrupted()?;
    tokio::select! {
        result = tell(until) => result.map_err(Failure::no).map(|()| Exit::Done),
        () = interrupted => Story.say("Ended early; its agents are stopped and its folder is removed.").map_err(Failure::no).map(|()| Exit::Done),
    }
}

/// The story, from the first agent to the last word.
async fn tell(until: Instant) -> Result<(), String> {
    let story = Story;
    let mut cluster = Cluster::new()?;
    story.title("Tidings: three agents, no server")?;
    story.say(&format!(
        "Each is a process of its own, as on a host of its own. Their data and logs are in {}",
        cluster.folder().display()
    ))?;

    story.step("Start three agents; each is told of the first")?;
    let from = Instant::now();
    for index in 0..cluster.agents().len() {
        story.command(&cluster.start(index)?)?;
    }
    wait(&mut cluster, "the agents to find each other", async |cluster| cluster.all_know_each_other().await).await?;
    story.took("They know each other after", from.elapsed())?;
    story.text(&table::whole(&cluster.agents()[0].members().await?, jiff::Timestamp::now()))?;

    story.step("Register a service with each agent, as its programs would")?;
    for agent in cluster.agents() {
        story.command(&agent.register().await?)?;
    }
    let (seen_by, lost) = (&cluster.agents()[0], &cluster.agents()[1]);
    let (web, lost) = (Lookup::addresses(seen_by.dns(), "web.service"), lost.ip().to_string());
    let from = Instant::now();
    wait(&mut cluster, "the first agent to hear of all three", async |_| Ok(web.ask().await?.lines.len() == 3)).await?;
    story.took("The first agent hands out all three after", from.elapsed())?;

    story.step("Look it up, with plain DNS, at any of the agents")?;
    look(&story, &web).await?;
    look(&story, &Lookup::endpoints(cluster.agents()[2].dns(), "_web._tcp.service")).await?;
    story.say("Type these beside it, in another terminal, while the rest goes on:")?;
    beside(&story, &cluster.agents()[0])?;

    story.step("Kill the second agent, as a host dies: without a word")?;
    let from = Instant::now();
    story.command(&cluster.kill(1)?)?;
    wait(&mut cluster, "the dead one to vanish from DNS", async |_| Ok(!web.ask().await?.lines.contains(&lost))).await?;
    story.took("The others found out, and the first agent no longer hands it out, after", from.elapsed())?;
    look(&story, &web).await?;
    story.text(&table::whole(&cluster.agents()[0].members().await?, jiff::Timestamp::now()))?;

    story.step("Start it again: it still has its data folder, so nothing is registered anew")?;
    let from = Instant::now();
    story.command(&cluster.start(1)?)?;
    wait(&mut cluster, "it to come back into DNS", async |_| Ok(web.ask().await?.lines.contains(&lost))).await?;
    story.took("The first agent hands it out again after", from.elapsed())?;
    look(&story, &web).await?;

    hold(&story, &cluster, until).await?;
    drop(cluster);
    story.say("Done. The agents are stopped and their folder is removed. To run one for real: tidings agent --help")
}

/// Leaves the cluster up for whoever sits before a terminal, until the minute is over.
async fn hold(story: &Story, cluster: &Cluster, until: Instant) -> Result<(), String> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() || !std::io::stdout().is_terminal() {
        return Ok(());
    }
    story.step(&format!("Your turn: for {} s more the cluster is yours, in another terminal; Ctrl-C ends it", left.as_secs()))?;
    beside(story, &cluster.agents()[0])?;
    sleep_until(until).await;
    Ok(())
}

/// Shows a lookup as it is made.
async fn look(story: &Story, lookup: &Lookup) -> Result<(), String> {
    let answer = lookup.ask().await?;
    story.command(&lookup.command())?;
    story.answer(&answer)
}

fn beside(story: &Story, agent: &Agent) -> Result<(), String> {
    let program = story::program();
    story.command(&Lookup::addresses(agent.dns(), "web.service").command())?;
    story.command(&format!("{program} members --agent {}", agent.url()))?;
    story.command(&format!("{program} service web --agent {}", agent.url()))?;
    story.command(&format!("curl {}/v1/instances?service=web", agent.url()))
}

/// Looks again and again until it has come.
async fn wait(cluster: &mut Cluster, what: &str, has_come: impl AsyncFn(&Cluster) -> Result<bool, String>) -> Result<(), String> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        cluster.check()?;
        // A single look may fail: an agent that is starting does not answer yet.
        let last = has_come(cluster).await;
        if last == Ok(true) {
            return Ok(());
        }
        if Instant::now() >= deadline {
            let last = last.err().map(|error| format!(" ({error})")).unwrap_or_default();
            return Err(format!("waited {} s in vain for {what}{last}", PATIENCE.as_secs()));
        }
        sleep(GLANCE).await;
    }
}

/// Ends when somebody wants the demo to end.
fn interrupted() -> Result<impl Future<Output = ()>, Failure> {
    let listen = |kind| signal(kind).map_err(|error| Failure::no(format!("can't listen for signals: {error}")));
    let mut signals = [listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?, listen(SignalKind::hangup())?];
    Ok(async move {
        let [interrupt, terminate, hangup] = &mut signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}
