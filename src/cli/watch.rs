//! `--watch`: goes on printing what changes, until it is interrupted or nobody reads on.

use std::{ops::ControlFlow, time::Duration};

use http::{Method, StatusCode};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{Instant, sleep, sleep_until},
};

use super::{
    Exit, Failure,
    client::{Answer, Api, Look, News},
    output,
    table::{Row, Running},
    view::Items,
};

/// Between two changes that are shown: what changes meanwhile is shown together.
const BREATH: Duration = Duration::from_millis(100);
/// Between two questions to an agent that does not let us wait, or that is not there.
const PAUSE: Duration = Duration::from_secs(1);
/// How often an agent that is back is asked whether it knows its cluster again before it is taken as it is. Until it does, it would
/// make all that is elsewhere seem gone.
const READINESS: u32 = 15;

type Told = Result<ControlFlow<Exit>, Failure>;

/// Prints a list as a table, and what changes below it.
pub(super) async fn table<T: Row + DeserializeOwned>(api: &Api, path: &str, none: &str) -> Result<Exit, Failure> {
    let mut table = Running::new();
    let mut hint = Some(none);
    until_ended(follow(api, path, async |answer| {
        let Items { items, .. } = answer.read::<Items<T>>()?;
        if let (true, Some(none)) = (items.is_empty(), hint.take()) {
            output::remark(none);
        }
        tell(table.go_on(items, Timestamp::now()).as_bytes())
    }))
    .await
}

/// Prints a list as JSON, all of it in a line, and again at each change.
pub(super) async fn json(api: &Api, path: &str) -> Result<Exit, Failure> {
    until_ended(follow(api, path, async |answer| match answer.status.is_success() {
        true => tell(&line(answer)),
        false => answer.pass_on().map(ControlFlow::Break),
    }))
    .await
}

/// Prints one thing as JSON, or that it is not there, and again when it changes, which it does only when a list does.
pub(super) async fn json_of(api: &Api, path: &str, list: &str) -> Result<Exit, Failure> {
    let mut last = Vec::new();
    until_ended(follow(api, list, async |_| {
        let shown = line(&api.call(Method::GET, path).await?);
        if shown == last {
            return Ok(ControlFlow::Continue(()));
        }
        last.clone_from(&shown);
        tell(&shown)
    }))
    .await
}

/// Tells of what a path shows, now and after each change. An agent that goes away is waited for, but the first time.
async fn follow(api: &Api, path: &str, mut tell: impl AsyncFnMut(&Answer) -> Told) -> Result<Exit, Failure> {
    let mut look = api.look(path).await?;
    if unavailable(&look.answer) {
        look = reconnect(api, path, &look.answer.done().err().map(|why| why.message).unwrap_or_default()).await?;
    }
    let mut told = tell(&look.answer).await?;
    loop {
        if let ControlFlow::Break(exit) = told {
            return Ok(exit);
        }
        let next = async {
            look = change(api, path, &look).await?;
            tell(&look.answer).await
        };
        told = match next.await {
            Err(failure) if failure.exit == Exit::NoAgent => {
                look = reconnect(api, path, &failure.message).await?;
                tell(&look.answer).await?
            }
            told => told?,
        };
    }
}

/// Waits until something else is shown.
async fn change(api: &Api, path: &str, look: &Look) -> Result<Look, Failure> {
    loop {
        let begun = Instant::now();
        let news = api.news(look).await?;
        sleep_until(begun + if news == News::Changed { BREATH } else { PAUSE }).await;
        if news != News::None {
            let look = api.look(path).await?;
            if !unavailable(&look.answer) {
                return Ok(look);
            }
        }
    }
}

/// Waits until an agent answers, and knows its cluster.
async fn reconnect(api: &Api, path: &str, why: &str) -> Result<Look, Failure> {
    output::remark(&format!("{}; waiting for it", why.lines().next().unwrap_or_default()));
    let mut asked = 0;
    loop {
        sleep(PAUSE).await;
        match api.call(Method::GET, "/health/ready").await {
            Ok(answer) if answer.status.is_success() || asked >= READINESS => {}
            Ok(_) => {
                asked += 1;
                continue;
            }
            Err(_) => continue,
        }
        match api.look(path).await {
            Ok(look) if !unavailable(&look.answer) => {
                output::remark("the agent answers again");
                return Ok(look);
            }
            Err(failure) if failure.exit != Exit::NoAgent => return Err(failure),
            _ => {}
        }
    }
}

/// It has no answer yet, or no more.
fn unavailable(answer: &Answer) -> bool {
    answer.status == StatusCode::SERVICE_UNAVAILABLE
}

/// Prints, and ends where nobody reads.
fn tell(octets: &[u8]) -> Told {
    Ok(if output::tell(octets)? { ControlFlow::Continue(()) } else { ControlFlow::Break(Exit::Done) })
}

/// An answer on one line.
fn line(answer: &Answer) -> Vec<u8> {
    // JSON has line ends between its tokens only.
    let mut line: Vec<u8> = answer.body.iter().copied().filter(|octet| !matches!(octet, b'\n' | b'\r')).collect();
    line.push(b'\n');
    line
}

async fn until_ended(following: impl Future<Output = Result<Exit, Failure>>) -> Result<Exit, Failure> {
    let listen = |kind| signal(kind).map_err(|error| Failure::no(format!("can't listen for signals: {error}")));
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    tokio::select! {
        end = following => end,
        _ = interrupt.recv() => Ok(Exit::Done),
        _ = terminate.recv() => Ok(Exit::Done),
        () = output::unread() => Ok(Exit::Done),
    }
}
