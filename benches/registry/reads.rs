//! Reads, beside as many octets over the same kind of connection from somebody who has nothing to think about.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    thread,
    time::Duration,
};

use serde_json::json;
use tokio::time::Instant;

use super::{
    agent::Agent,
    http::{Connection, get},
    report::Section,
};

const INSTANCES: usize = 1_000;
const OF_SERVICE: usize = 3;
const TIMES: usize = 3_000;
/// Reads before the first that counts.
const WARM: usize = 200;

pub(crate) async fn run() -> Result<Section, String> {
    let agent = Agent::start(2).await?;
    let definition = |n: usize| {
        let service = if n < OF_SERVICE { "web".to_owned() } else { format!("other-{}", n % 100) };
        (format!("i-{n}"), json!({"service": service, "port": 1_000 + n, "tags": ["v1"]}))
    };
    agent.register((0..INSTANCES).map(definition)).await?;

    let search = "/v1/instances?service=web";
    let tag = Connection::open(agent.http).await?.get(search, &[]).await?.tag.ok_or("a read has no tag")?;
    let reads = [
        (format!("GET {search}, {OF_SERVICE} of {INSTANCES}"), get(search, &[]), 200),
        ("GET /v1/agent".to_owned(), get("/v1/agent", &[]), 200),
        ("the first with If-None-Match, 304".to_owned(), get(search, &[("If-None-Match", &tag)]), 304),
    ];
    let mut section = Section::new(format!("a read over a kept connection ({TIMES}x, in turn)"), "TCP, same octets");
    for (label, request, status) in reads {
        let mut connection = Connection::open(agent.http).await?;
        let octets = connection.exchange(&request).await?.octets;
        let mut bare = Connection::open(parrot(octets)?).await?;
        let (mut times, mut bare_times) = (Vec::new(), Vec::new());
        for n in 0..WARM + TIMES {
            let (answer, took) = timed(&mut connection, &request).await?;
            if answer != status {
                return Err(format!("{label} is answered with {answer}"));
            }
            let (_, bare_took) = timed(&mut bare, &request).await?;
            if n >= WARM {
                times.push(took);
                bare_times.push(bare_took);
            }
        }
        section.times(&label, times, bare_times);
    }
    Ok(section)
}

async fn timed(connection: &mut Connection, request: &[u8]) -> Result<(u16, Duration), String> {
    let begun = Instant::now();
    let answer = connection.exchange(request).await?;
    Ok((answer.status, begun.elapsed()))
}

/// A thread that answers whatever it gets with so many octets, for one connection.
fn parrot(octets: usize) -> Result<SocketAddr, String> {
    let listener = TcpListener::bind("127.61.0.250:0").map_err(|error| format!("can't listen: {error}"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    // Of which the head takes some, so that the reader has as much to do.
    let head = |length: usize| format!("HTTP/1.1 200 OK\r\ncontent-length: {length:06}\r\n\r\n");
    let length = octets.saturating_sub(head(0).len());
    let answer = [head(length).into_bytes(), vec![b' '; length]].concat();
    thread::spawn(move || {
        let Ok((mut stream, _)) = listener.accept() else { return };
        let mut request = [0; 4_096];
        // That it sends without delay is all that can fail, and costs time only.
        let _ = stream.set_nodelay(true);
        while stream.read(&mut request).is_ok_and(|length| length > 0) && stream.write_all(&answer).is_ok() {}
    });
    Ok(address)
}
