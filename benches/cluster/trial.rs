//! One trial: a cluster from its first agent to its last.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{
    agents::{Agents, name},
    report::{Measure, Measured},
    rest,
    silence::Silence,
    system::{Client as _, Result as Asked, Standing, System},
    watch::{News, Watch},
};

/// Between one thing and the next, so that the first is over.
const PAUSE: Duration = Duration::from_secs(2);
/// Between two changes.
const BREATH: Duration = Duration::from_millis(300);
/// Between the forming of a cluster and the look at it at rest.
const BEFORE_REST: Duration = Duration::from_secs(10);
/// How long the first agent may take to answer.
const FIRST_ANSWER: Duration = Duration::from_secs(20);
/// A change that an agent hears of later was missed by gossip, and comes by a repair.
const BY_GOSSIP: Duration = Duration::from_secs(1);
/// When a change is waited for no more. A repair may take minutes; a change that needs one counts as this long.
const REPAIR: Duration = Duration::from_secs(10);

/// What is to be done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Agents.
    pub(crate) n: usize,
    /// Which trial this is.
    pub(crate) trial: u32,
    pub(crate) changes: u32,
    /// For how long to look at the cluster at rest; not at all when zero.
    pub(crate) rest: Duration,
    /// Whether a host can be silenced.
    pub(crate) silence: bool,
}

/// Does it, and adds what was measured.
pub(crate) async fn run<S: System>(plan: Plan, measured: &mut Measured) -> Result<(), String> {
    let mut agents = Agents::<S>::new()?;
    eprintln!("{} agents, trial {}: {}", plan.n, plan.trial + 1, S::NAME);

    form(&mut agents, plan.n, measured).await?;
    if plan.rest.is_zero() {
        sleep(PAUSE).await;
    } else {
        sleep(BEFORE_REST).await;
        measured.rest = Some(rest::look(&mut agents, plan.rest).await?);
    }
    for change in 0..plan.changes {
        make_change(&mut agents, plan, change, measured).await?;
        sleep(BREATH).await;
    }
    sleep(PAUSE).await;
    join(&mut agents, measured).await?;
    sleep(PAUSE).await;
    kill(&mut agents, plan, measured).await?;
    if plan.silence {
        sleep(PAUSE).await;
        silence(&mut agents, plan, measured).await?;
    }
    Ok(())
}

/// All join through the first, which runs already. The clock starts with the last start.
async fn form<S: System>(agents: &mut Agents<S>, n: usize, measured: &mut Measured) -> Result<(), String> {
    let seed = agents.start()?;
    answers(agents, seed).await?;
    for _ in 1..n {
        agents.start()?;
    }
    let start = Instant::now();
    let watch = Watch::new(agents, 0..n);
    let known = watch.until(News::Members(n), start, agents).await?;
    measured.add(Measure::Form, known.last().copied());
    Ok(())
}

async fn answers<S: System>(agents: &mut Agents<S>, index: usize) -> Result<(), String> {
    let (mut client, start) = (agents.client(index), Instant::now());
    loop {
        let answer: Asked<Standing> = client.standing(&name(index)).await;
        match answer {
            Ok(Standing::Alive) => return Ok(()),
            _ if start.elapsed() < FIRST_ANSWER => {}
            Ok(standing) => return Err(format!("{}: the first agent holds itself for {standing:?}", S::NAME)),
            Err(error) => return Err(format!("{}: the first agent does not answer: {error}", S::NAME)),
        }
        agents.check()?;
        sleep(Duration::from_millis(20)).await;
    }
}

/// At one agent, until all others show it. The clock starts before the agent is told, so its disk is in it.
async fn make_change<S: System>(agents: &mut Agents<S>, plan: Plan, change: u32, measured: &mut Measured) -> Result<(), String> {
    let at = (plan.trial * plan.changes + change) as usize * 7 % plan.n;
    let value = format!("change-{change}");
    let watch = Watch::new(agents, (0..plan.n).filter(|&index| index != at)).connect().await?;
    let mut client = agents.client(at);
    client.standing(&name(at)).await.map_err(|error| format!("{} does not answer: {error}", name(at)))?;

    let start = Instant::now();
    // At the same time: a system may answer only after it has told others.
    let news = News::Change { member: name(at), value: value.clone() };
    let (changed, known) = tokio::join!(client.change(&value), watch.within(REPAIR, news, start, agents));
    changed.map_err(|error| format!("{}: could not change {}: {error}", S::NAME, name(at)))?;
    let (known, others) = (known?, plan.n - 1);
    measured.add(Measure::ChangeFirst, known.first().copied());
    measured.add(Measure::Change, if known.len() == others { known.last().copied() } else { Some(REPAIR) });
    measured.deliveries += others;
    measured.missed += others - known.iter().filter(|after| **after <= BY_GOSSIP).count();
    Ok(())
}

/// One more, from its start until all others hold it for alive.
async fn join<S: System>(agents: &mut Agents<S>, measured: &mut Measured) -> Result<(), String> {
    let watch = Watch::new(agents, agents.running()).connect().await?;
    let start = Instant::now();
    let index = agents.start()?;
    let known = watch.until(News::Alive(name(index)), start, agents).await?;
    measured.add(Measure::JoinFirst, known.first().copied());
    measured.add(Measure::Join, known.last().copied());
    Ok(())
}

/// Another one each time, and never the seed.
async fn kill<S: System>(agents: &mut Agents<S>, plan: Plan, measured: &mut Measured) -> Result<(), String> {
    let victim = 1 + plan.trial as usize * 7 % (plan.n - 1);
    let others = agents.running().into_iter().filter(|&index| index != victim);
    let watch = Watch::new(agents, others).connect().await?;
    let start = Instant::now();
    agents.kill(victim);
    let known = watch.until(News::Down(name(victim)), start, agents).await?;
    measured.add(Measure::KillFirst, known.first().copied());
    measured.add(Measure::Kill, known.last().copied());
    Ok(())
}

/// Another one each time, and never the seed. Its agent goes on, and hears nobody.
async fn silence<S: System>(agents: &mut Agents<S>, plan: Plan, measured: &mut Measured) -> Result<(), String> {
    let running = agents.running();
    let victim = running[1 + plan.trial as usize * 11 % (running.len() - 1)];
    let watch = Watch::new(agents, running.into_iter().filter(|&index| index != victim)).connect().await?;
    let start = Instant::now();
    let silence = Silence::of(agents.address(victim))?;
    let known = watch.until(News::Down(name(victim)), start, agents).await?;
    drop(silence);
    measured.add(Measure::SilenceFirst, known.first().copied());
    measured.add(Measure::Silence, known.last().copied());
    Ok(())
}
