//! Commands that go on while the scenario does.

use cucumber::{gherkin::Step, then, when};

use crate::features::{agent, background::Background, expect, wait::eventually, world::World};

#[when(regex = r"^I start `tidings (.+)` beside (\w+)$")]
async fn start(world: &mut World, line: String, name: String) {
    let url = world.agent_mut(&name).url("");
    let line = world.fill(&line);
    let mut command = agent::command();
    command.args(line.split_whitespace()).env("TIDINGS_AGENT", url);
    world.background = Some(Background::start(format!("tidings {line}"), command));
}

#[then(regex = r"^it soon prints$")]
async fn prints(world: &mut World, step: &Step) {
    let rows = world.table(step);
    let command = started(world);
    for row in rows {
        eventually(&format!("a line with {row:?}"), async || {
            let text = command.stdout();
            let line = text.lines().any(|line| row.iter().all(|cell| line.contains(cell.as_str())));
            if line { Ok(()) } else { Err(format!("{text}\n{}", command.stderr())) }
        })
        .await;
    }
}

/// The last line that is whole.
#[then(regex = r"^its last line is soon JSON that lists$")]
#[then(regex = r"^its last line is soon JSON with$")]
async fn last_line(world: &mut World, step: &Step) {
    let rows = world.table(step);
    let command = started(world);
    eventually("the last line", async || {
        let text = command.stdout();
        let last = text.split_inclusive('\n').rfind(|line| line.ends_with('\n')).unwrap_or("nothing");
        let json = serde_json::from_str(last).map_err(|error| format!("{error}: {last}"))?;
        if step.value.ends_with("with") { expect::holds(&json, &rows) } else { expect::lists(&json, &rows) }
    })
    .await;
}

#[then(regex = r#"^it soon complains "(.+)"$"#)]
async fn complains(world: &mut World, text: String) {
    let text = world.fill(&text);
    let command = started(world);
    eventually(&format!("{text:?} on standard error"), async || {
        let seen = command.stderr();
        if seen.contains(&text) { Ok(()) } else { Err(seen) }
    })
    .await;
}

#[when(regex = r"^I send it (SIGINT|SIGTERM)$")]
async fn send(world: &mut World, signal: String) {
    started(world).signal(signal.trim_start_matches("SIG")).await;
    ends(world).await;
}

#[when(regex = r"^nobody reads what it prints any more$")]
async fn unread(world: &mut World) {
    world.background.as_mut().expect("the scenario started a command before").read_no_more().await;
    ends(world).await;
}

async fn ends(world: &mut World) {
    let command = world.background.take().expect("the scenario started a command before");
    world.run = Some(command.end().await);
}

#[then(regex = r#"^it complained "(.+)" once$"#)]
async fn complained_once(world: &mut World, text: String) {
    let text = world.fill(&text);
    let run = world.ran();
    assert_eq!(run.stderr.matches(&text).count(), 1, "{}", run.stderr);
}

#[then(regex = r#"^it printed "(.+)" once$"#)]
async fn printed_once(world: &mut World, text: String) {
    let text = world.fill(&text);
    let run = world.ran();
    assert_eq!(run.stdout.matches(&text).count(), 1, "{}", run.stdout);
}

fn started(world: &World) -> &Background {
    world.background.as_ref().expect("the scenario started a command before")
}
