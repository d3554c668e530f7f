//! Asking over HTTP.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use cucumber::{gherkin::Step, given, then, when};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::agents::list;
use crate::features::{
    expect,
    http::{self, Answer},
    wait::{DEADLINE, eventually},
    world::World,
};

const JSON: &str = "application/json";

#[given(regex = r"^I DELETE (\S+) at (\w+)$")]
async fn delete(world: &mut World, path: String, name: String) {
    send(world, "DELETE", &path, &name, None, Vec::new()).await;
    assert!(world.answered().status.is_success(), "{}", world.answered());
}

#[when(regex = r"^I (GET|HEAD|DELETE|POST|PUT|PATCH) (\S+) at (\w+)$")]
async fn ask(world: &mut World, method: String, path: String, name: String, step: &Step) {
    let body = if step.docstring.is_some() { world.text(step) } else { String::new() };
    let kind = step.docstring.as_ref().map(|_| JSON);
    send(world, &method, &path, &name, kind, body.into_bytes()).await;
}

#[when(regex = r"^I PUT (\S+) at (\w+) as (\S+)$")]
async fn put_as(world: &mut World, path: String, name: String, kind: String, step: &Step) {
    let body = world.text(step);
    send(world, "PUT", &path, &name, Some(&kind), body.into_bytes()).await;
}

#[when(regex = r"^I PUT (\S+) at (\w+) with a body of (\d+) octets$")]
async fn put_large(world: &mut World, path: String, name: String, octets: usize) {
    let body = format!(r#"{{"service": "{}"}}"#, "w".repeat(octets));
    send(world, "PUT", &path, &name, Some(JSON), body.into_bytes()).await;
}

#[when(regex = r"^I PUT (\S+) at (\w+) with (\d+) tags$")]
async fn put_tags(world: &mut World, path: String, name: String, count: usize) {
    let tags: Vec<String> = (1..=count).map(|n| format!("t{n}")).collect();
    let body = serde_json::json!({"service": "web", "port": 80, "tags": tags}).to_string();
    send(world, "PUT", &path, &name, Some(JSON), body.into_bytes()).await;
}

#[when(regex = r"^I PUT (\S+) at (\w+) with metadata of (\d+) octets$")]
async fn put_metadata(world: &mut World, path: String, name: String, octets: usize) {
    send(world, "PUT", &path, &name, Some(JSON), with_metadata(octets).to_string().into_bytes()).await;
}

/// A definition whose single values are within their limits.
fn with_metadata(octets: usize) -> serde_json::Value {
    let meta: BTreeMap<String, String> = (0..octets.div_ceil(500)).map(|n| (format!("k{n}"), "v".repeat(500))).collect();
    serde_json::json!({"service": "web", "port": 80, "meta": meta})
}

/// Registers large definitions until one is not taken; the answer is the one to that.
#[when(regex = r"^I register instances at (\w+) until its disk is full$")]
async fn fill_the_disk(world: &mut World, name: String) {
    for n in 0..1_000 {
        let body = with_metadata(4_000).to_string().into_bytes();
        send(world, "PUT", &format!("/v1/agent/instances/fill-{n}"), &name, Some(JSON), body).await;
        if !world.answered().status.is_success() {
            return;
        }
    }
    panic!("the disk took everything");
}

/// Sends the head of a request that promises a body, then the first half of it, and perhaps closes its side.
#[when(regex = r"^I begin to PUT (\S+) at (\w+) and (stop|break off) in the middle of the body$")]
async fn put_half(world: &mut World, path: String, name: String, how: String) {
    let mut stream = TcpStream::connect(world.agent(&name).http()).await.expect("the agent accepts");
    let head = format!("PUT {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n");
    stream.write_all(format!("{head}{{\"service\": ").as_bytes()).await.expect("the agent reads");
    if how == "break off" {
        stream.shutdown().await.expect("a side can be closed");
    }
    let mut octets = Vec::new();
    timeout(DEADLINE, stream.read_to_end(&mut octets)).await.expect("the agent answers and closes").expect("it closes in order");
    world.answer = Some(http::parse(&format!("PUT {path}"), &octets).unwrap_or_else(|error| panic!("{error}")));
}

/// Begins a request whose answer nobody waits for.
#[when(regex = r"^I begin to POST (\S+) at (\w+)$")]
async fn post_unawaited(world: &mut World, path: String, name: String) {
    let url = world.agent(&name).url(&path);
    tokio::spawn(async move { http::ask("POST", &url, None, Vec::new()).await });
}

/// A write to the agent is answered so before long: what was begun before takes hold in its own time.
#[then(regex = r"^a PUT of (\S+) at (\w+) is soon the problem (\S+) with status (\d+)$")]
async fn put_soon_refused(world: &mut World, path: String, name: String, kind: String, code: u16) {
    let url = world.agent(&name).url(&path);
    let body = serde_json::json!({"service": "web", "port": 80}).to_string().into_bytes();
    eventually(&format!("PUT {path} at {name} is {kind}"), async || {
        let answer = http::ask("PUT", &url, Some(JSON), body.clone()).await?;
        let seen = answer.json().ok().and_then(|body| body.pointer("/type").cloned());
        if answer.status.as_u16() == code && seen == Some(kind.clone().into()) { Ok(()) } else { Err(answer.to_string()) }
    })
    .await;
}

#[when(regex = r"^I PUT that answer to (\S+) at (\w+)$")]
async fn put_back(world: &mut World, path: String, name: String) {
    let body = world.answered().body.clone();
    send(world, "PUT", &path, &name, Some(JSON), body).await;
}

/// Registers each row of a table whose columns are `id` and fields of a definition.
#[given(regex = r"^each of (.+) registers$")]
async fn each_registers(world: &mut World, names: String, step: &Step) {
    for name in list(&names) {
        registers(world, name, step).await;
    }
}

#[given(regex = r"^(\w+) registers$")]
#[when(regex = r"^(\w+) registers$")]
async fn registers(world: &mut World, name: String, step: &Step) {
    let rows = world.table(step);
    let (keys, rows) = rows.split_first().expect("the step needs a table");
    for row in rows {
        let mut fields = serde_json::Map::new();
        let mut id = String::new();
        for (key, cell) in keys.iter().zip(row).filter(|(_, cell)| !cell.is_empty()) {
            if key == "id" {
                id.clone_from(cell);
            } else {
                fields.insert(key.clone(), expect::value(cell));
            }
        }
        put(world, &name, &id, serde_json::Value::Object(fields)).await;
    }
}

/// Registers `web-1`, `web-2` and so on, each with an address of its own.
#[given(regex = r"^(\w+) registers (\d+) instances of (\S+)$")]
async fn registers_many(world: &mut World, name: String, count: usize, service: String) {
    let block = match world.address(&name) {
        IpAddr::V4(address) => address.octets()[3],
        IpAddr::V6(address) => address.octets()[15],
    };
    for n in 1..=count {
        let address = format!("10.{block}.{}.{}", n / 256, n % 256);
        put(world, &name, &format!("{service}-{n}"), serde_json::json!({"service": service, "addresses": [address], "port": 8080})).await;
    }
}

async fn put(world: &mut World, name: &str, id: &str, definition: serde_json::Value) {
    let body = definition.to_string().into_bytes();
    send(world, "PUT", &format!("/v1/agent/instances/{id}"), name, Some(JSON), body).await;
    assert!(world.answered().status.is_success(), "{} with {definition}", world.answered());
}

async fn send(world: &mut World, method: &str, path: &str, name: &str, kind: Option<&str>, body: Vec<u8>) {
    let path = world.fill(path);
    let url = world.agent(name).url(&path);
    world.answer = Some(http::ask(method, &url, kind, body).await.unwrap_or_else(|error| panic!("{error}")));
}

#[then(regex = r"^the answer is (\d+)$")]
async fn has_status(world: &mut World, status: u16) {
    assert_eq!(world.answered().status.as_u16(), status, "{}", world.answered());
}

#[then(regex = r"^the answer is (\d+) with$")]
async fn status_with(world: &mut World, code: u16, step: &Step) {
    has_status(world, code).await;
    has(world, step).await;
}

async fn has(world: &mut World, step: &Step) {
    let rows = world.table(step);
    check(expect::holds(&json(world.answered()), &rows), world.answered());
}

#[then(regex = r"^the answer is the problem (\S+) with status (\d+)$")]
async fn problem(world: &mut World, kind: String, code: u16, step: &Step) {
    has_status(world, code).await;
    let answer = world.answered();
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{answer}");
    let body = json(answer);
    assert_eq!(body.pointer("/type"), Some(&kind.into()), "{answer}");
    assert_eq!(body.pointer("/status"), Some(&code.into()), "{answer}");
    assert!(body.pointer("/title").is_some_and(|title| title.as_str().is_some_and(|title| !title.is_empty())), "no title: {answer}");
    has(world, step).await;
}

#[then(regex = r"^its header ([\w-]+) is (.+)$")]
async fn header(world: &mut World, name: String, value: String) {
    let value = world.fill(&value);
    assert_eq!(world.answered().header(&name), Some(value.as_str()), "{}", world.answered());
}

#[then(regex = r"^it has the header ([\w-]+)$")]
async fn header_is_there(world: &mut World, name: String) {
    assert!(world.answered().header(&name).is_some(), "{}", world.answered());
}

#[then(regex = r"^its body is empty$")]
async fn empty(world: &mut World) {
    assert!(world.answered().body.is_empty(), "{}", world.answered());
}

/// Holds an OpenAPI document that was answered against the links of `GET /v1`.
#[then(regex = r"^it describes every route that GET /v1 at (\w+) lists, and no other$")]
async fn describes_all(world: &mut World, name: String) {
    let described: BTreeSet<String> = methods(json(world.answered()).get("paths").and_then(serde_json::Value::as_object));
    let index = world.agent(&name).get("/v1").await.unwrap_or_else(|error| panic!("{error}"));
    let links = json(&index);
    let links = links.pointer("/links").and_then(serde_json::Value::as_array).expect("an index has links");
    let listed: BTreeSet<String> = links
        .iter()
        .flat_map(|link| {
            let methods = link["methods"].as_array().expect("a link has methods");
            methods.iter().map(|method| format!("{} {}", method.as_str().unwrap_or_default(), link["href"].as_str().unwrap_or_default()))
        })
        .collect();
    assert_eq!(described, listed);
}

#[then(regex = r"^its version is that of the agent (\w+)$")]
async fn version(world: &mut World, name: String) {
    let agent = world.agent(&name).get("/v1/agent").await.unwrap_or_else(|error| panic!("{error}"));
    let (told, version) = (json(&agent), json(world.answered()));
    assert!(told["version"].is_string());
    assert_eq!(version["info"]["version"], told["version"]);
}

/// `GET /v1` and so on, of the paths of a document.
fn methods(paths: Option<&serde_json::Map<String, serde_json::Value>>) -> BTreeSet<String> {
    let paths = paths.expect("a document has paths").iter();
    let of = |(path, methods): (&String, &serde_json::Value)| {
        let methods = methods.as_object().expect("a path has methods").keys();
        methods.map(|method| format!("{} {path}", method.to_uppercase())).collect::<Vec<_>>()
    };
    paths.flat_map(of).collect()
}

#[then(regex = r"^the answer lists$")]
#[then(regex = r"^the answer lists nothing$")]
async fn lists(world: &mut World, step: &Step) {
    let rows = world.table(step);
    has_status(world, 200).await;
    check(expect::lists(&json(world.answered()), &rows), world.answered());
}

#[given(regex = r"^GET (\S+) at (\w+) soon lists$")]
#[then(regex = r"^GET (\S+) at (\w+) soon lists$")]
async fn lists_soon(world: &mut World, path: String, name: String, step: &Step) {
    let rows = world.table(step);
    soon(world, &path, &name, |answer| expect::lists(&answer.json()?, &rows)).await;
}

#[then(regex = r"^GET (\S+) at (\w+) soon has$")]
async fn has_soon(world: &mut World, path: String, name: String, step: &Step) {
    let rows = world.table(step);
    soon(world, &path, &name, |answer| expect::holds(&answer.json()?, &rows)).await;
}

#[given(regex = r"^GET (\S+) at (\w+) is soon (\d+)$")]
#[then(regex = r"^GET (\S+) at (\w+) is soon (\d+)$")]
async fn status_soon(world: &mut World, path: String, name: String, code: u16) {
    soon(world, &path, &name, |answer| if answer.status.as_u16() == code { Ok(()) } else { Err("another status".to_owned()) }).await;
}

async fn soon(world: &mut World, path: &str, name: &str, right: impl Fn(&Answer) -> Result<(), String>) {
    let path = world.fill(path);
    let agent = world.agent(name);
    let answer = eventually(&format!("GET {path} at {name} as expected"), async || {
        let answer = agent.get(&path).await?;
        match right(&answer) {
            Ok(()) => Ok(answer),
            Err(wrong) => Err(format!("{wrong}\n{answer}")),
        }
    })
    .await;
    world.answer = Some(answer);
}

fn json(answer: &Answer) -> serde_json::Value {
    answer.json().unwrap_or_else(|error| panic!("{error}"))
}

fn check(outcome: Result<(), String>, answer: &Answer) {
    if let Err(wrong) = outcome {
        panic!("{wrong}\n{} answered {}", answer.asked, answer.status);
    }
}
