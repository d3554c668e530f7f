//! The program as a shell sees it: what it prints where, and how it ends, before an agent that answers what a test wants.
#![expect(clippy::unwrap_used, reason = "the helpers of tests may panic as the tests themselves do")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

const NODES: &str = r#"{"items":[{"id":"00000000000000aa","name":"db-1","state":"alive","reason":"answers","since":"2026-01-01T00:00:00Z",
  "addresses":["10.0.0.5"],"gossip":"10.0.0.5:8746","zone":null,"meta":{},"version":"0.1.0","generation":1,"instances":2,"name_conflict":false}],"next":null}"#;
const NOTHING: &str = r#"{"items":[],"next":null}"#;
const WEB: &str = r#"{"name":"web","tags":["v1"],"counts":{"total":1,"passing":1,"warning":0,"critical":0,"held_back":1}}"#;
const INSTANCES: &str = r#"{"items":[{"node":"db-2","node_id":"00000000000000ab","id":"web-1","service":"web","addresses":["10.0.0.6"],"port":80,
  "protocol":"tcp","tags":["v1"],"meta":{},"weight":10,"status":"passing","since":"2026-01-01T00:00:00Z",
  "held_back":{"reason":"node_down","detail":"node db-2 is down: refused"}}],"next":null}"#;
const ABSENT: &str =
    r#"{"type":"/problems/no-such-service","title":"There is no such service","status":404,"detail":"no instance of api is registered"}"#;
const INVALID: &str = r#"{"type":"/problems/invalid-definition","title":"The definition is invalid","status":422,"detail":"the definition has a flaw",
  "errors":[{"pointer":"/port","detail":"is 0; a port is 1 to 65535"}]}"#;

#[test]
fn a_table_is_printed_without_colours_and_the_command_is_done() {
    let agent = Agent::answering(200, NODES);
    let output = agent.run(&["members"]);
    ended(&output, 0);
    let text = stdout(&output);
    assert!(text.starts_with("NODE") && text.contains("db-1") && text.contains("10.0.0.5:8746"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text:?}");
    assert_eq!(agent.requests(), ["GET /v1/nodes"]);
}

#[test]
fn json_is_what_the_api_answered() {
    for (status, body, code) in [(200, NODES, 0), (200, NOTHING, 1), (503, ABSENT, 1), (400, INVALID, 2)] {
        let output = Agent::answering(status, body).run(&["members", "--json"]);
        ended(&output, code);
        assert_eq!(stdout(&output), format!("{body}\n"));
    }
}

#[test]
fn nothing_found_is_the_answer_no() {
    for command in [vec!["members"], vec!["services"], vec!["instances", "--service", "web"]] {
        let output = Agent::answering(200, NOTHING).run(&command);
        ended(&output, 1);
        assert_eq!(stdout(&output), "");
        assert!(!stderr(&output).is_empty(), "{command:?}");
    }
    let output = Agent::answering(404, ABSENT).run(&["service", "api"]);
    ended(&output, 1);
    assert_eq!(stderr(&output), "error: There is no such service (HTTP 404): no instance of api is registered\n");
}

#[test]
fn a_service_is_shown_with_all_its_instances() {
    let agent = Agent::new(|request| if request.starts_with("GET /v1/services/") { (200, WEB.into()) } else { (200, INSTANCES.into()) });
    let output = agent.run(&["service", "Web"]);
    ended(&output, 0);
    assert!(stdout(&output).contains("node db-2 is down: refused"), "{}", stdout(&output));
    assert_eq!(agent.requests(), ["GET /v1/services/web", "GET /v1/instances?service=web&status=any"]);
}

#[test]
fn every_part_of_a_search_is_sent() {
    let agent = Agent::answering(200, INSTANCES);
    ended(&agent.run(&["instances", "--service", "web", "--tag", "v1", "--tag", "a&b", "--meta", "k:v w", "--status", "any"]), 0);
    assert_eq!(agent.requests(), ["GET /v1/instances?service=web&status=any&tag=v1&tag=a%26b&meta=k%3Av+w"]);
}

#[test]
fn the_pages_of_a_list_are_put_together() {
    let node = NODES.split_once('[').and_then(|(_, rest)| rest.rsplit_once(']')).unwrap().0.to_owned();
    let agent = Agent::new(move |request| match request.split_once("cursor=") {
        None => (200, format!(r#"{{"items":[{node}],"next":"aa"}}"#)),
        Some((_, "aa")) => (200, format!(r#"{{"items":[{}],"next":"bb"}}"#, node.replace("db-1", "db-2"))),
        Some(_) => (200, format!(r#"{{"items":[{}],"next":null}}"#, node.replace("db-1", "db-3"))),
    });
    let output = agent.run(&["members"]);
    ended(&output, 0);
    assert!(["db-1", "db-2", "db-3"].iter().all(|name| stdout(&output).contains(name)), "{}", stdout(&output));
    assert_eq!(agent.requests(), ["GET /v1/nodes", "GET /v1/nodes?cursor=aa", "GET /v1/nodes?cursor=bb"]);
    let output = agent.run(&["members", "--json"]);
    ended(&output, 0);
    let json: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!((json["items"].as_array().unwrap().len(), &json["next"]), (3, &serde_json::Value::Null));
}

#[test]
fn a_definition_is_sent_as_it_is_written() {
    let definition = r#"{"id": "web-1", "service": "web", "port": 80}"#;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("web.json");
    std::fs::write(&file, definition).unwrap();
    for (status, says) in [(201, "web-1 is registered\n"), (200, "web-1 was registered already")] {
        let agent = Agent::answering(status, definition);
        let output = agent.run(&["register", file.to_str().unwrap()]);
        ended(&output, 0);
        assert!(stdout(&output).starts_with(says), "{}", stdout(&output));
        assert_eq!(agent.requests(), [format!("PUT /v1/agent/instances/web-1 {definition}")]);
    }
    let agent = Agent::answering(201, definition);
    ended(&agent.run_with(&["register", "-"], definition), 0);
    assert_eq!(agent.requests(), [format!("PUT /v1/agent/instances/web-1 {definition}")]);
}

#[test]
fn a_definition_that_is_refused_is_bad_input_and_each_flaw_is_named() {
    let output = Agent::answering(422, INVALID).run_with(&["register", "-"], r#"{"id": "web-1", "port": 0}"#);
    ended(&output, 2);
    let text = stderr(&output);
    assert!(text.contains("standard input: The definition is invalid (HTTP 422)"), "{text}");
    assert!(text.contains("\n  /port: is 0; a port is 1 to 65535\n"), "{text}");
}

#[test]
fn a_file_that_is_no_definition_is_never_sent() {
    let agent = Agent::answering(201, "{}");
    for text in ["", "[]", r#"{"service": "web"}"#, r#"{"id": "a b"}"#] {
        ended(&agent.run_with(&["register", "-"], text), 2);
    }
    ended(&agent.run(&["register", "/nowhere/web.json"]), 2);
    assert!(agent.requests().is_empty());
}

#[test]
fn what_is_removed_or_leaves_is_told() {
    let agent = Agent::answering(204, "");
    let output = agent.run(&["deregister", "web-1"]);
    ended(&output, 0);
    assert_eq!(stdout(&output), "web-1 is deregistered\n");
    assert_eq!(agent.requests(), ["DELETE /v1/agent/instances/web-1"]);
    ended(&Agent::answering(404, ABSENT).run(&["deregister", "web-1"]), 1);
    ended(&agent.run(&["deregister", "../web"]), 2);

    let agent = Agent::answering(202, r#"{"leaving": true}"#);
    ended(&agent.run(&["leave"]), 0);
    assert_eq!(agent.requests(), ["POST /v1/agent/leave"]);
}

#[test]
fn where_no_agent_is_reached_is_told_and_how_to_start_one() {
    let nobody = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap();
    let output = tidings(&["members", "--agent", &format!("http://{nobody}")], "");
    ended(&output, 3);
    let text = stderr(&output);
    assert!(text.contains(&nobody.to_string()) && text.contains("refused") && text.contains("`tidings agent`"), "{text}");

    for (status, body) in [(200, "<html>"), (404, "<html>"), (200, "{}")] {
        let output = Agent::answering(status, body).run(&["members"]);
        ended(&output, 3);
        assert!(stderr(&output).contains("no Tidings agent"), "{}", stderr(&output));
    }
}

#[test]
fn an_agent_is_named_by_flag_or_variable() {
    let agent = Agent::answering(200, NODES);
    for url in [agent.url(), format!("{}/", agent.url()), agent.address.to_string()] {
        let output = Command::new(env!("CARGO_BIN_EXE_tidings")).arg("members").env("TIDINGS_AGENT", &url).output().unwrap();
        ended(&output, 0);
    }
    for bad in ["https://", "ftp://127.0.0.1", "http://", "http://127.0.0.1:8780/?a=b"] {
        ended(&tidings(&["members", "--agent", bad], ""), 2);
    }
}

#[test]
fn a_reader_that_stops_reading_is_no_error() {
    let node = NODES.split_once('[').and_then(|(_, rest)| rest.rsplit_once(']')).unwrap().0;
    let many = format!(r#"{{"items":[{}],"next":null}}"#, vec![node; 5_000].join(","));
    for flags in [&["members"][..], &["members", "--json"]] {
        let agent = Agent::answering(200, &many);
        let mut child = Command::new(env!("CARGO_BIN_EXE_tidings"))
            .args(flags)
            .args(["--agent", &agent.url()])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        ended(&output, 0);
        assert_eq!(stderr(&output), "");
    }
}

#[test]
fn a_watch_puts_all_pages_on_one_line() {
    let agent = Agent::new(move |request| match request {
        "GET /v1/nodes" => (200, r#"{"items":[],"next":"aa"}"#.into()),
        "GET /v1/nodes?cursor=aa" => (200, "{\"items\":\n[],\"next\":null}".into()),
        _ => (200, "{}".into()),
    });
    let mut child = watching(&agent, &["members", "--watch", "--json"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), r#"{"items":[],"next":null}"#);
    // It ends when nobody reads.
    drop(lines);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "what is tested is how often it asks")]
fn a_watch_asks_an_agent_that_lets_nobody_wait_once_a_second_at_most() {
    let agent = Agent::answering(200, NODES);
    let mut child = watching(&agent, &["members", "--watch"]);
    let begun = Instant::now();
    while agent.requests().len() < 4 {
        thread::yield_now();
    }
    // The first look, and three more with a pause before each.
    assert!(begun.elapsed() > Duration::from_millis(2_500), "{:?}", begun.elapsed());
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_watch_ends_with_what_an_agent_has_against_it() {
    let output = Agent::answering(400, INVALID).run(&["instances", "--status", "up", "--watch"]);
    ended(&output, 2);
    let output = Agent::answering(400, INVALID).run(&["instances", "--status", "up", "--watch", "--json"]);
    ended(&output, 2);
    assert_eq!(stdout(&output), format!("{INVALID}\n"));
    ended(&Agent::answering(200, "<html>").run(&["members", "--watch"]), 3);
}

#[test]
fn an_agent_with_a_wrong_setting_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tidings.toml");
    std::fs::write(&file, "zone = \"a\"\nnmae = \"b\"\n").unwrap();
    let output = tidings(&["agent", "--config", file.to_str().unwrap()], "");
    ended(&output, 2);
    assert_eq!(stderr(&output), format!("error: {}, line 2: unknown key nmae; did you mean name?\n", file.display()));
    let output = tidings(&["agent", "--on-term", "stop"], "");
    ended(&output, 2);
    assert!(stderr(&output).contains("--on-term: \"stop\" is neither \"leave\" nor \"restart\""), "{}", stderr(&output));
}

#[test]
fn help_names_each_flag_with_its_variable_and_default() {
    let output = tidings(&["agent", "--help"], "");
    ended(&output, 0);
    for part in ["--gossip", "TIDINGS_GOSSIP", "0.0.0.0:8746", "--on-term", "TIDINGS_ON_TERM", "leave|restart"] {
        assert!(stdout(&output).contains(part), "{part}");
    }
}

#[track_caller]
fn ended(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "stdout: {}\nstderr: {}", stdout(output), stderr(output));
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Runs the program with a text on its standard input.
fn tidings(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tidings"))
        .args(arguments)
        .env_remove("TIDINGS_AGENT")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that ends without reading closes the pipe.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    child.wait_with_output().unwrap()
}

/// Starts the program without waiting for its end.
fn watching(agent: &Agent, arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidings"));
    command.args(arguments).args(["--agent", &agent.url()]).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap()
}

/// What an agent says to a request: its status and its body.
type Says = dyn Fn(&str) -> (u16, String) + Send + Sync;

/// A stand-in for an agent. It says what it is told to say and keeps what it was asked.
struct Agent {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Agent {
    fn answering(status: u16, body: &str) -> Agent {
        let body = body.to_owned();
        Agent::new(move |_| (status, body.clone()))
    }

    fn new(says: impl Fn(&str) -> (u16, String) + Send + Sync + 'static) -> Agent {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            let says: Box<Says> = Box::new(says);
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let request = read(&stream);
                seen.lock().unwrap().push(request.clone());
                let (status, body) = says(&request);
                let head = format!("HTTP/1.1 {status} As-Told\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                // The program may have seen enough.
                drop((&stream).write_all((head + &body).as_bytes()));
            }
        });
        Agent { address, requests }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, "")
    }

    fn run_with(&self, arguments: &[&str], input: &str) -> Output {
        tidings(&[arguments, &["--agent", &self.url()]].concat(), input)
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// Reads a request: its method and target, and its body where it has one.
fn read(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let request = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    format!("{request} {}", String::from_utf8(body).unwrap()).trim_end().to_owned()
}
