//! Running `tidings` as people and scripts do.

use std::{process::Stdio, time::Duration};

use cucumber::{gherkin::Step, then, when};
use tokio::{io::AsyncWriteExt as _, process::Command, time::timeout};

use crate::features::{
    agent, expect,
    wait::eventually,
    world::{Run, World},
};

/// Longer than any command takes; `demo` takes longest.
const LIMIT: Duration = Duration::from_secs(180);

#[when(regex = r"^I run `tidings (.+)` beside (\w+)$")]
async fn beside(world: &mut World, line: String, name: String, step: &Step) {
    let agent = world.agent_mut(&name);
    let (url, command) = (agent.url(""), agent::command_beside(agent));
    run(world, &line, command, &[("TIDINGS_AGENT", url)], step).await;
}

#[when(regex = r"^I run `tidings (.+)` beside (\w+) with TIDINGS_TOKEN=(\w+)$")]
async fn with_token(world: &mut World, line: String, name: String, token: String, step: &Step) {
    let agent = world.agent_mut(&name);
    let (url, command) = (agent.url(""), agent::command_beside(agent));
    run(world, &line, command, &[("TIDINGS_AGENT", url), ("TIDINGS_TOKEN", token)], step).await;
}

#[when(regex = r"^I run `tidings (.+)` with the environment$")]
async fn with_environment(world: &mut World, line: String, step: &Step) {
    let rows = world.table(step);
    let environment: Vec<(&str, String)> = rows.iter().map(|row| (row[0].as_str(), row[1].clone())).collect();
    run(world, &line, agent::command(), &environment, step).await;
}

#[when(regex = r"^I run `tidings(| .+)`$")]
async fn alone(world: &mut World, line: String, step: &Step) {
    run(world, &line, agent::command(), &[], step).await;
}

/// Starts an agent of which the scenario expects that it gives up.
#[when(regex = r"^(\w+) is started in vain$")]
#[when(regex = r"^(\w+) is started in vain with$")]
async fn in_vain(world: &mut World, name: String, step: &Step) {
    let rows = world.table(step);
    let agent = world.agent_mut(&name);
    agent.settings.flags.extend(rows.into_iter().map(|row| (row[0].clone(), row[1].clone())));
    let command = agent.command();
    finish(world, format!("tidings agent as {name}"), command, String::new()).await;
}

async fn run(world: &mut World, line: &str, mut command: Command, environment: &[(&str, String)], step: &Step) {
    let input = if step.docstring.is_some() { world.text(step) } else { String::new() };
    let line = world.fill(line);
    command.args(line.split_whitespace()).current_dir(world.folder());
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    finish(world, format!("tidings {}", line.trim()), command, input).await;
}

async fn finish(world: &mut World, line: String, mut command: Command, input: String) {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program can be started");
    let mut stdin = child.stdin.take().expect("it is piped");
    // A command that reads nothing may be gone by now.
    stdin.write_all(input.as_bytes()).await.ok();
    drop(stdin);
    let output = match timeout(LIMIT, child.wait_with_output()).await {
        Ok(output) => output.expect("a child can be waited for"),
        Err(_) => panic!("{line} did not end within {LIMIT:?}"),
    };
    world.run = Some(Run {
        line,
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    });
}

/// As it does when somebody presses the tabulator key behind what is typed.
const COMPLETE: &str = r#"
source <("$1" completions bash)
COMP_LINE=$2 COMP_POINT=${#2}
read -ra COMP_WORDS <<< "$2"
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
by=$(complete -p tidings) && by=${by##*-F } && "${by%% *}" tidings "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\n' "${COMPREPLY[@]}"
"#;

#[when(regex = r"^a bash that has read `tidings completions bash` completes `(.+)`$")]
async fn complete(world: &mut World, typed: String) {
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", COMPLETE, "bash"]).arg(agent::program()).arg(&typed);
    finish(world, typed, bash, String::new()).await;
}

#[then(regex = r"^it is offered$")]
async fn offered(world: &mut World, step: &Step) {
    let words: Vec<String> = world.table(step).concat();
    let offered: Vec<&str> = world.ran().stdout.lines().collect();
    assert!(words.iter().all(|word| offered.contains(&word.as_str())), "{}", shown(world));
}

#[then(regex = r"^the file (\S+) has$")]
async fn file_has(world: &mut World, file: String, step: &Step) {
    let path = world.folder().join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for part in world.table(step).concat() {
        assert!(text.contains(&part), "nothing of {part:?} in {text}");
    }
}

#[then(regex = r"^it exits with (\d+)$")]
async fn exits(world: &mut World, code: i32) {
    assert_eq!(world.ran().code, Some(code), "{}", shown(world));
}

#[then(regex = r"^it prints$")]
async fn prints(world: &mut World, step: &Step) {
    for row in world.table(step) {
        let line = world.ran().stdout.lines().find(|line| row.iter().all(|cell| line.contains(cell.as_str())));
        assert!(line.is_some(), "no line with {row:?}: {}", shown(world));
    }
}

#[then(regex = r"^a second run prints the same$")]
async fn prints_again(world: &mut World, step: &Step) {
    let (line, first) = (world.ran().line.clone(), world.ran().stdout.clone());
    run(world, line.trim_start_matches("tidings "), agent::command(), &[], step).await;
    assert!(world.ran().stdout == first, "{first}\n{}", shown(world));
}

#[then(regex = r"^`tidings (.+)` prints something else$")]
async fn prints_else(world: &mut World, line: String, step: &Step) {
    // The first line may repeat what was typed.
    let rest = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    let first = rest(&world.ran().stdout);
    run(world, &line, agent::command(), &[], step).await;
    assert!(rest(&world.ran().stdout) != first, "{}", shown(world));
}

#[then(regex = r#"^it does not print "(.+)"$"#)]
async fn prints_not(world: &mut World, text: String) {
    let text = world.fill(&text);
    assert!(!world.ran().stdout.contains(&text), "{}", shown(world));
}

#[then(regex = r"^it prints nothing$")]
async fn prints_nothing(world: &mut World) {
    assert!(world.ran().stdout.trim().is_empty(), "{}", shown(world));
}

#[then(regex = r"^it prints JSON with$")]
async fn prints_json(world: &mut World, step: &Step) {
    let rows = world.table(step);
    let json = serde_json::from_str(&world.ran().stdout).unwrap_or_else(|error| panic!("{error}: {}", shown(world)));
    expect::holds(&json, &rows).unwrap_or_else(|wrong| panic!("{wrong}"));
}

#[then(regex = r"^it prints JSON that lists$")]
async fn prints_list(world: &mut World, step: &Step) {
    let rows = world.table(step);
    let json = serde_json::from_str(&world.ran().stdout).unwrap_or_else(|error| panic!("{error}: {}", shown(world)));
    expect::lists(&json, &rows).unwrap_or_else(|wrong| panic!("{wrong}"));
}

#[then(regex = r#"^it complains "(.+)"$"#)]
async fn complains(world: &mut World, text: String) {
    let text = world.fill(&text);
    // Help and errors may be wrapped to the width of the terminal.
    let seen = world.ran().stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(seen.contains(&text), "nothing of {text:?}: {}", shown(world));
}

#[then(regex = r#"^it does not complain "(.+)"$"#)]
async fn does_not_complain(world: &mut World, text: String) {
    assert!(!world.ran().stderr.contains(&text), "{}", shown(world));
}

/// What it remarks changes with what it hears.
#[then(regex = r#"^`tidings (.+)` beside (\w+) soon remarks "(.+)"$"#)]
async fn remarks(world: &mut World, line: String, name: String, text: String) {
    let agent = world.agent(&name);
    eventually(&format!("tidings {line} beside {name} remarks {text:?}"), async || {
        let mut command = agent::command_beside(agent);
        command.args(line.split_whitespace()).env("TIDINGS_AGENT", agent.url(""));
        let output = command.output().await.expect("the program can be started");
        let said = String::from_utf8_lossy(&output.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
        if said.contains(&text) { Ok(()) } else { Err(said) }
    })
    .await;
}

#[then(regex = r"^no agent is left behind$")]
async fn none_left(world: &mut World) {
    let folder = world
        .ran()
        .stdout
        .split_whitespace()
        .find(|word| word.contains("tidings-demo-"))
        .unwrap_or_else(|| panic!("no folder: {}", shown(world)));
    assert!(!std::path::Path::new(folder).exists(), "{folder} is still there");
    let listing = Command::new("ps").args(["-eo", "pid,ppid,args"]).output().await.expect("ps is there");
    let listing = String::from_utf8_lossy(&listing.stdout).into_owned();
    let orphans: Vec<&str> = listing.lines().filter(|line| line.contains(folder)).collect();
    assert!(orphans.is_empty(), "{orphans:?} after {}", shown(world));
}

fn shown(world: &World) -> String {
    let Run { line, code, stdout, stderr } = world.ran();
    format!("`{line}` exited with {code:?}\n--- standard output\n{stdout}\n--- standard error\n{stderr}")
}
