//! Reading metrics.

use cucumber::{gherkin::Step, given, then, when};

use crate::features::{
    metrics::{self, Sample},
    wait::eventually,
    world::World,
};

/// Each row names a metric, perhaps with labels, and the sum of all its samples with these labels: `3`, or `3 or more`.
#[then(regex = r"^the metrics at (\w+) soon show$")]
async fn show(world: &mut World, name: String, step: &Step) {
    let rows = step.table.as_ref().expect("the step needs a table").rows.clone();
    let agent = world.agent(&name);
    eventually(&format!("the metrics at {name} show what the table says"), async || {
        let samples = read(world, &name).await?;
        let wrong: Vec<String> = rows.iter().filter_map(|row| holds(&samples, &row[0], &row[1]).err()).collect();
        if wrong.is_empty() { Ok(()) } else { Err(format!("{}\n{}", wrong.join("\n"), agent.log_tail(10))) }
    })
    .await;
}

#[given(regex = r"^I note the metric (\S+) at (\w+)$")]
async fn note(world: &mut World, metric: String, name: String) {
    let value = value(world, &metric, &name).await.unwrap_or_else(|error| panic!("{error}"));
    world.notes.insert(metric, value.to_string());
}

#[then(regex = r"^the metric (\S+) at (\w+) soon is higher than noted$")]
async fn higher(world: &mut World, metric: String, name: String) {
    let noted: f64 = world.notes[&metric].parse().expect("a number was noted");
    let world = &*world;
    eventually(&format!("{metric} at {name} above {noted}"), async || {
        let seen = value(world, &metric, &name).await?;
        if seen > noted { Ok(()) } else { Err(format!("it is {seen}")) }
    })
    .await;
}

#[then(regex = r"^every metric in it has a type and a text of help, and it ends with EOF$")]
async fn whole(world: &mut World) {
    let text = String::from_utf8(world.answered().body.clone()).expect("it is text");
    assert!(text.ends_with("\n# EOF\n"), "{text}");
    let described: Vec<(&str, &str)> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect();
    for (name, _) in &described {
        let help = text.lines().find_map(|line| line.strip_prefix(&format!("# HELP {name} ")));
        assert!(help.is_some_and(|help| help.len() > 10), "{name} has no help");
    }
    for sample in metrics::read(&text).unwrap_or_else(|error| panic!("{error}")) {
        let has_type = described.iter().any(|(name, kind)| metrics::is_of(&sample.name, name, kind));
        assert!(has_type, "{} has no type", sample.name);
    }
}

#[then(regex = r#"^the answer does not say "(.+)"$"#)]
async fn silent(world: &mut World, text: String) {
    assert!(!String::from_utf8_lossy(&world.answered().body).contains(&text), "{}", world.answered());
}

/// After it was paused.
#[when(regex = r"^(\w+) is resumed$")]
async fn resumed(world: &mut World, name: String) {
    world.agent(&name).signal("CONT").await;
}

async fn read(world: &World, name: &str) -> Result<Vec<Sample>, String> {
    metrics::read(&String::from_utf8_lossy(&world.agent(name).get("/metrics").await?.body))
}

async fn value(world: &World, metric: &str, name: &str) -> Result<f64, String> {
    metrics::sum(&read(world, name).await?, metric)
}

fn holds(samples: &[Sample], metric: &str, expected: &str) -> Result<(), String> {
    let seen = metrics::sum(samples, metric)?;
    let (number, or_more) = expected.strip_suffix(" or more").map_or((expected, false), |number| (number, true));
    let number: f64 = number.parse().expect("a number");
    let right = if or_more { seen >= number } else { seen == number };
    if right { Ok(()) } else { Err(format!("{metric} is {seen}, not {expected}")) }
}
