//! Asking with conditions, waiting for changes, and following them.

use std::time::Duration;

use cucumber::{gherkin::Step, given, then, when};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::features::{
    events::Follower,
    expect,
    http::{self, Answer},
    wait::{DEADLINE, eventually},
    world::World,
};

/// Longer than any wait that a scenario asks for.
const PATIENCE: Duration = Duration::from_secs(400);

#[when(regex = r"^I (GET|HEAD|PUT|DELETE|POST) (\S+) at (\w+) with the headers? (.+)$")]
async fn ask(world: &mut World, method: String, path: String, name: String, headers: String, step: &Step) {
    let body = if step.docstring.is_some() { world.text(step) } else { String::new() };
    let (url, mut headers) = target(world, &name, &path, &headers);
    headers.extend(step.docstring.as_ref().map(|_| ("Content-Type".to_owned(), "application/json".to_owned())));
    let answer = http::ask_with(&method, &url, &headers, body.into_bytes(), http::LIMIT).await;
    world.answer = Some(answer.unwrap_or_else(|error| panic!("{error}")));
}

#[when(regex = r"^I begin to GET (\S+) at (\w+) with the headers? (.+)$")]
async fn begin(world: &mut World, path: String, name: String, headers: String) {
    let (url, headers) = target(world, &name, &path, &headers);
    world.waiting = Some(tokio::spawn(async move { http::ask_with("GET", &url, &headers, Vec::new(), PATIENCE).await }));
}

/// A request of HTTP/1.1 that lacks what each must have.
#[when(regex = r"^I GET (\S+) at (\w+) without the header Host$")]
async fn ask_without_host(world: &mut World, path: String, name: String) {
    let mut stream = TcpStream::connect(world.agent(&name).http()).await.expect("the agent accepts");
    stream.write_all(format!("GET {path} HTTP/1.1\r\nConnection: close\r\n\r\n").as_bytes()).await.expect("the agent reads");
    world.answer = Some(rest(&mut stream, &path).await);
}

fn target(world: &mut World, name: &str, path: &str, headers: &str) -> (String, Vec<(String, String)>) {
    let path = world.fill(path);
    let headers = world.fill(headers);
    let pairs = headers.split(" and ").map(|pair| pair.split_once(": ").unwrap_or_else(|| panic!("{pair:?} is no header")));
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    (world.agent(name).url(&path), pairs)
}

#[then(regex = r"^that request is not answered yet$")]
async fn still_waits(world: &mut World) {
    // Whatever could be under way has had a moment to come: what is looked for here is that nothing does.
    sleep(Duration::from_millis(200)).await;
    let waiting = world.waiting.as_mut().expect("the scenario began to ask before");
    if waiting.is_finished() {
        panic!("it is answered: {:?}", waiting.await);
    }
}

#[then(regex = r"^that request is answered$")]
async fn is_answered(world: &mut World) {
    let waiting = world.waiting.take().expect("the scenario began to ask before");
    let answer = timeout(DEADLINE, waiting).await.expect("it is answered before long").expect("it does not panic");
    world.answer = Some(answer.unwrap_or_else(|error| panic!("{error}")));
}

#[given(regex = r"^I note its header ([\w-]+)$")]
#[when(regex = r"^I note its header ([\w-]+)$")]
async fn note_header(world: &mut World, name: String) {
    let value = world.answered().header(&name).unwrap_or_else(|| panic!("no {name}: {}", world.answered())).to_owned();
    world.notes.insert("noted".into(), value);
}

#[when(regex = r"^I note (/\S+) of that answer$")]
async fn note_pointer(world: &mut World, pointer: String) {
    let json = world.answered().json().unwrap_or_else(|error| panic!("{error}"));
    let value = json.pointer(&pointer).and_then(serde_json::Value::as_str).unwrap_or_else(|| panic!("no text at {pointer}: {json:#}"));
    world.notes.insert("noted".into(), value.to_owned());
}

#[then(regex = r"^its header ([\w-]+) stays the same$")]
async fn header_same(world: &mut World, name: String) {
    assert_eq!(world.answered().header(&name), Some(world.notes["noted"].as_str()), "{}", world.answered());
}

#[then(regex = r"^its header ([\w-]+) differs$")]
async fn header_other(world: &mut World, name: String) {
    assert!(world.answered().header(&name).is_some_and(|value| value != world.notes["noted"]), "{}", world.answered());
}

#[then(regex = r"^it has no header ([\w-]+)$")]
async fn header_absent(world: &mut World, name: String) {
    assert_eq!(world.answered().header(&name), None, "{}", world.answered());
}

/// As many as have a place, each in a connection of its own; done when all of them wait.
#[given(regex = r"^(\d+) clients wait for a change of (\S+) at (\w+)$")]
async fn many_wait(world: &mut World, count: usize, path: String, name: String) {
    let tag = current_tag(world, &name, &path).await;
    let agent = world.agent(&name);
    let begin = async || {
        let mut stream = TcpStream::connect(agent.http()).await.expect("the agent accepts");
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        let request = format!("{head}If-None-Match: {tag}\r\nPrefer: wait=300\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("the agent reads");
        stream
    };
    let mut streams = Vec::new();
    for _ in 0..count {
        streams.push(begin().await);
    }
    let headers = [("If-None-Match".to_owned(), tag.clone()), ("Prefer".to_owned(), "wait=0".to_owned())];
    eventually("one more finds no place to wait", async || {
        let answer = http::ask_with("GET", &agent.url(&path), &headers, Vec::new(), http::LIMIT).await?;
        if answer.header("preference-applied").is_none() {
            return Ok(());
        }
        // Looking takes a place for a moment. Who found none because of that tries again.
        for stream in &mut streams {
            if stream.try_read(&mut [0; 1024]).is_ok() {
                *stream = begin().await;
            }
        }
        Err(answer.to_string())
    })
    .await;
    world.streams = streams;
}

async fn current_tag(world: &World, name: &str, path: &str) -> String {
    let answer = world.agent(name).get(path).await.unwrap_or_else(|error| panic!("{error}"));
    answer.header("etag").unwrap_or_else(|| panic!("no ETag: {answer}")).to_owned()
}

#[then(regex = r"^all of them are answered with (\d+) items$")]
async fn all_answered(world: &mut World, count: usize) {
    for stream in &mut world.streams {
        let answer = rest(stream, "a read that waits").await;
        let items = answer.json().ok().and_then(|json| json["items"].as_array().map(Vec::len));
        assert_eq!(items, Some(count), "{answer}");
    }
}

async fn rest(stream: &mut TcpStream, asked: &str) -> Answer {
    let mut octets = Vec::new();
    timeout(DEADLINE, stream.read_to_end(&mut octets)).await.expect("the agent answers and closes").expect("it closes in order");
    http::parse(asked, &octets).unwrap_or_else(|error| panic!("{error}"))
}

#[then(regex = r"^(\d+) times GET (\S+) at (\w+) mostly lists (\S+) alone$")]
async fn mostly(world: &mut World, times: usize, path: String, name: String, id: String) {
    let mut seen = 0;
    for _ in 0..times {
        let answer = world.agent(&name).get(&path).await.unwrap_or_else(|error| panic!("{error}"));
        let json = answer.json().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(json["items"].as_array().map(Vec::len), Some(1), "{answer}");
        seen += usize::from(json.pointer("/items/0/id").is_some_and(|it| *it == id));
    }
    assert!(seen * 4 > times * 3, "{id} came {seen} times of {times}");
}

#[given(regex = r"^I follow (\S+) at (\w+)$")]
#[when(regex = r"^I follow (\S+) at (\w+)$")]
async fn follow(world: &mut World, path: String, name: String) {
    let follower = Follower::new(world.agent(&name).http(), &path, &[]).await;
    world.followers.push(follower);
}

#[when(regex = r"^I follow (\S+) at (\w+) with the header (.+)$")]
async fn follow_with(world: &mut World, path: String, name: String, headers: String) {
    let (_, headers) = target(world, &name, &path, &headers);
    let follower = Follower::new(world.agent(&name).http(), &path, &headers).await;
    world.followers.push(follower);
}

#[given(regex = r"^(\d+) clients follow (\S+) at (\w+)$")]
async fn many_follow(world: &mut World, count: usize, path: String, name: String) {
    for _ in 0..count {
        follow(world, path.clone(), name.clone()).await;
    }
}

#[when(regex = r"^one of them goes away$")]
async fn goes_away(world: &mut World) {
    world.followers.pop().expect("somebody follows");
}

/// A place is free as soon as the agent sees that a client went away.
#[then(regex = r"^another client soon follows (\S+) at (\w+)$")]
async fn soon_follows(world: &mut World, path: String, name: String) {
    let agent = world.agent(&name);
    let follower = eventually("a place is free", async || Follower::try_new(agent.http(), &path, &[]).await).await;
    world.followers.push(follower);
}

#[when(regex = r"^I follow no more$")]
async fn follow_no_more(world: &mut World) {
    world.followers.clear();
}

#[then(regex = r"^the next event is (\w+)$")]
#[then(regex = r"^the next event is (\w+) with$")]
async fn next_event(world: &mut World, name: String, step: &Step) {
    let rows = world.table(step);
    let follower = world.followers.last_mut().expect("the scenario follows something");
    while follower.next().await.expect("the stream goes on").name.is_empty() {}
    assert_eq!(follower.last.name, name, "{:?}", follower.last);
    expect::holds(&follower.last.json(), &rows).unwrap_or_else(|wrong| panic!("{wrong}"));
}

#[when(regex = r"^I note the id of that event$")]
async fn note_id(world: &mut World) {
    let id = world.followers.last().expect("the scenario follows something").last.id.clone();
    assert!(!id.is_empty(), "it has no id");
    world.notes.insert("noted".into(), id);
}

#[then(regex = r"^a heartbeat comes$")]
async fn heartbeat(world: &mut World) {
    let follower = world.followers.last_mut().expect("the scenario follows something");
    let seen = follower.next().await.expect("the stream goes on");
    assert!(seen.comment == "heartbeat" && seen.name.is_empty() && !seen.id.is_empty(), "{seen:?}");
}

#[then(regex = r"^the stream ends$")]
async fn stream_ends(world: &mut World) {
    let follower = world.followers.last_mut().expect("the scenario follows something");
    let seen = follower.next().await;
    assert!(seen.is_none(), "{seen:?}");
}

/// A client that takes a few octets now and then while much happens, and everything afterwards.
#[when(regex = r"^a client reads (\S+) at (\w+) slowly while (\d+) large definitions are registered$")]
async fn slow_client(world: &mut World, path: String, name: String, count: usize) {
    let mut slow = Follower::new(world.agent(&name).http(), &path, &[]).await;
    let url = world.agent(&name).url("/v1/agent/instances/large");
    let mut octets = Vec::new();
    let writing = async {
        let mut writers = JoinSet::new();
        for lane in 0..WRITERS {
            let url = format!("{url}-{lane}");
            writers.spawn(async move {
                for n in 0..count / WRITERS {
                    let body = large(n).into_bytes();
                    let answer = http::ask("PUT", &url, Some("application/json"), body).await.unwrap_or_else(|error| panic!("{error}"));
                    assert!(answer.status.is_success(), "{answer}");
                }
            });
        }
        writers.join_all().await;
    };
    let sipping = async {
        loop {
            slow.sip(&mut octets).await;
            sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        () = writing => {}
        () = sipping => {}
    }
    while timeout(DEADLINE, slow.sip(&mut octets)).await.expect("the stream ends") > 0 {}
    world.notes.insert("taken".into(), String::from_utf8_lossy(&octets).into_owned());
}

/// Writers at once.
const WRITERS: usize = 16;

fn large(n: usize) -> String {
    let meta: std::collections::BTreeMap<String, String> = (0..14).map(|key| (format!("k{key}"), "v".repeat(500))).collect();
    serde_json::json!({"service": "large", "port": 1 + n, "meta": meta}).to_string()
}

#[then(regex = r"^the last event that it took is (\w+) with$")]
async fn last_taken(world: &mut World, name: String, step: &Step) {
    let rows = world.table(step);
    let taken = world.notes["taken"].trim_end().to_owned();
    let last = taken.rsplit("\n\n").next().unwrap_or_default();
    let data = last.lines().find_map(|line| line.strip_prefix("data: ")).unwrap_or_else(|| panic!("no event: {last:?}"));
    assert!(last.starts_with(&format!("event: {name}\n")), "{last:?}");
    expect::holds(&serde_json::from_str(data).expect("it is JSON"), &rows).unwrap_or_else(|wrong| panic!("{wrong}"));
}
