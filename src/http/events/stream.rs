//! The stream of one client. It is written as fast as the client takes it, from the changes that the catalog keeps for
//! all: what a client has not taken costs nothing, and who falls too far behind is cut off.

use std::{
    convert::Infallible,
    mem,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Bytes, HttpBody};
use hyper::body::Frame;
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, Interval, interval_at},
};

use super::{CutOff, Filter, json, reset::Reset, write_event};
use crate::{
    catalog::{Catalog, HISTORY, Waiter},
    http::ApiState,
};

/// The time after which a silent stream shows that it lives.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(15);

/// Changes that are looked at in one go.
const BATCH: usize = 64;

pub(super) struct EventStream {
    filter: Filter,
    catalog: Catalog,
    generation: u32,
    /// The number of the last change that the client was told of, or that is none of its business.
    told: u64,
    reset: Option<Reset>,
    waiter: Waiter,
    /// The client had taken everything when it was last looked after.
    up_to_date: bool,
    silence: Interval,
    ending: Pin<Box<dyn Future<Output = ()> + Send>>,
    over: bool,
    _place: OwnedSemaphorePermit,
}

impl EventStream {
    /// A stream that goes on after a change, where that is possible, and else begins with a reset.
    pub(super) fn new(
        state: &ApiState,
        filter: Filter,
        last: Option<u64>,
        heartbeat: Duration,
        place: OwnedSemaphorePermit,
    ) -> EventStream {
        // Before the first look, so that nothing is missed between the two.
        let waiter = state.catalog.wait_for(filter.interest());
        let last = last.filter(|last| state.catalog.events_after(*last, 0).is_some());
        let mut stream = EventStream {
            filter,
            catalog: state.catalog.clone(),
            generation: state.info.generation,
            told: last.unwrap_or_default(),
            reset: None,
            waiter,
            up_to_date: false,
            silence: interval_at(Instant::now() + heartbeat, heartbeat),
            ending: Box::pin(state.ending()),
            over: false,
            _place: place,
        };
        if last.is_none() {
            stream.begin_anew();
        }
        stream
    }

    fn begin_anew(&mut self) {
        let reset = Reset::new(self.catalog.load());
        self.told = reset.last_event();
        self.reset = Some(reset);
    }

    /// What is there to be sent now.
    fn next(&mut self) -> Option<String> {
        let was_up_to_date = mem::take(&mut self.up_to_date);
        loop {
            if let Some(reset) = &mut self.reset {
                match reset.chunk(&self.filter, &id(self.generation, self.told)) {
                    Some(chunk) => return Some(chunk),
                    None => self.reset = None,
                }
            }
            match self.catalog.events_after(self.told, BATCH) {
                Some(events) if events.is_empty() => return None,
                Some(events) => {
                    let mut out = String::new();
                    for (number, event) in events {
                        self.told = number;
                        if self.filter.shows(&event) {
                            write_event(&event, &id(self.generation, number), &mut out);
                        }
                    }
                    if !out.is_empty() {
                        return Some(out);
                    }
                }
                // More came at once than is kept: no fault of the client's.
                None if was_up_to_date => self.begin_anew(),
                None => {
                    self.over = true;
                    return Some(cut_off());
                }
            }
        }
    }
}

impl HttpBody for EventStream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let stream = self.get_mut();
        if stream.over {
            return Poll::Ready(None);
        }
        let text = loop {
            if let Some(text) = stream.next() {
                break text;
            }
            if stream.waiter.poll_changed(context).is_ready() {
                continue;
            }
            if stream.ending.as_mut().poll(context).is_ready() {
                stream.over = true;
                return Poll::Ready(None);
            }
            if stream.silence.poll_tick(context).is_ready() {
                // An id without data moves the place at which a client resumes, and no more.
                break format!(": heartbeat\nid: {}\n\n", id(stream.generation, stream.told));
            }
            stream.up_to_date = true;
            return Poll::Pending;
        };
        stream.silence.reset();
        Poll::Ready(Some(Ok(Frame::data(text.into()))))
    }
}

fn id(generation: u32, number: u64) -> String {
    format!("{generation}-{number}")
}

fn cut_off() -> String {
    let detail =
        format!("more than {HISTORY} changes came before this client took them: it is cut off, and begins anew when it comes back");
    format!("event: cut_off\ndata: {}\n\n", json(&CutOff { detail }))
}
