//! Services that are well or not, and what is said of them.

use cucumber::{given, then, when};

use crate::features::{
    service::{HANGS, Service},
    wait::{DEADLINE, eventually},
    world::World,
};

/// The port of the services that scenarios run.
const PORT: u16 = 9_000;

#[given(regex = r"^a service beside (\w+) that answers (\d+)$")]
async fn service(world: &mut World, name: String, status: u16) {
    let address = world.address(&name);
    let service = Service::start((address, PORT).into(), status).await;
    world.services.insert(name, service);
}

#[when(regex = r"^the service beside (\w+) answers (\d+)$")]
async fn answers(world: &mut World, name: String, status: u16) {
    world.services[&name].answer(status);
}

#[when(regex = r"^the service beside (\w+) hangs$")]
async fn hangs(world: &mut World, name: String) {
    world.services[&name].answer(HANGS);
}

#[when(regex = r"^the service beside (\w+) is gone$")]
async fn gone(world: &mut World, name: String) {
    world.services.remove(&name);
}

/// The port is told by `{alpha}:9000` in the definition.
#[then(regex = r"^web-1 of (\w+) is soon (passing|warning|critical) at (\w+)$")]
async fn is_soon(world: &mut World, owner: String, status: String, reader: String) {
    let reader = world.agent(&reader);
    let path = format!("/v1/instances?service=web&node={owner}&status=any");
    eventually(&format!("web-1 of {owner} is {status}"), async || {
        let answer = reader.get(&path).await?;
        let seen = answer.json()?.pointer("/items/0/status").cloned();
        if seen == Some(status.clone().into()) { Ok(()) } else { Err(answer.to_string()) }
    })
    .await;
}

#[when(regex = r"^(\w+)'s instance web-1 is told to be (passing|warning|critical)$")]
async fn beat(world: &mut World, name: String, status: String) {
    let url = world.agent(&name).url("/v1/agent/instances/web-1/checks/beat/status");
    let body = serde_json::json!({"status": status, "output": format!("it is {status}")}).to_string();
    let answer = crate::features::http::ask("PUT", &url, Some("application/json"), body.into_bytes()).await;
    let answer = answer.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(answer.status.as_u16(), 204, "{answer}");
}

/// As often as it takes. A restart that prolonged anything would never come to that, for as long as one takes less than what it
/// prolongs it by.
#[then(regex = r"^web-1 of (\w+) is soon critical though (\w+) is restarted over and over$")]
async fn critical_in_spite_of_restarts(world: &mut World, name: String, _again: String) {
    let deadline = tokio::time::Instant::now() + DEADLINE;
    let agent = world.agent_mut(&name);
    loop {
        let answer = agent.get("/v1/agent/instances/web-1/status").await.expect("the agent answers");
        if answer.json().expect("it is JSON").pointer("/status").is_some_and(|status| status == "critical") {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "still {answer}");
        agent.signal("TERM").await;
        agent.ends().await;
        agent.start();
        agent.answers().await;
    }
}
