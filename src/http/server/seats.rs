//! Who of the connected is waited for: for a handshake, for the head of a request or its body. Where all places are taken, the one that was waited for
//! the longest makes room for who comes: however many connect and say little, whoever says what it wants at once has the time for it.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::sync::Notify;

/// The seats of all who came by one door. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Seats(Arc<Room>);

#[derive(Default)]
struct Room {
    waited_for: Mutex<WaitedFor>,
    /// One is waited for, where none was.
    some: Notify,
}

#[derive(Default)]
struct WaitedFor {
    turns: u64,
    /// By when waiting began.
    seats: BTreeMap<u64, Arc<Notify>>,
}

impl Seats {
    /// A seat for one more. It is waited for.
    pub(super) fn take(&self) -> Arc<Seat> {
        let seat = Seat { room: Arc::clone(&self.0), turn: Mutex::default(), given_away: Arc::default() };
        seat.wait();
        Arc::new(seat)
    }

    /// Gives away the seat of the one that was waited for the longest. False where none is waited for.
    pub(super) fn make_room(&self) -> bool {
        let longest = self.0.lock().seats.pop_first();
        longest.is_some_and(|(_, seat)| {
            seat.notify_one();
            true
        })
    }

    /// Done when one is waited for, where none was.
    pub(super) async fn some_waited_for(&self) {
        self.0.some.notified().await;
    }
}

impl Room {
    fn lock(&self) -> MutexGuard<'_, WaitedFor> {
        self.waited_for.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// That of one connection. It is free when this is dropped.
pub(super) struct Seat {
    room: Arc<Room>,
    /// Since when it is waited for, if it is.
    turn: Mutex<Option<u64>>,
    given_away: Arc<Notify>,
}

impl Seat {
    /// Done when somebody else has it.
    pub(super) async fn given_away(&self) {
        self.given_away.notified().await;
    }

    /// From now on the client is waited for.
    fn wait(&self) {
        let mut turn = self.turn();
        if turn.is_none() {
            let mut waited_for = self.room.lock();
            waited_for.turns += 1;
            *turn = Some(waited_for.turns);
            let number = waited_for.turns;
            if waited_for.seats.insert(number, Arc::clone(&self.given_away)).is_none() && waited_for.seats.len() == 1 {
                self.room.some.notify_one();
            }
        }
    }

    /// It is the client who waits now.
    pub(super) fn serve(&self) {
        if let Some(turn) = self.turn().take() {
            self.room.lock().seats.remove(&turn);
        }
    }

    fn turn(&self) -> MutexGuard<'_, Option<u64>> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.serve();
    }
}

/// The body of a request: its client is waited for until it is there.
pub(super) fn arriving(body: impl HttpBody<Data = Bytes, Error = hyper::Error> + Send + Unpin + 'static, seat: &Arc<Seat>) -> Body {
    if body.is_end_stream() {
        seat.serve();
        return Body::empty();
    }
    Body::new(Held { body, then: Then(Arc::clone(seat), Seat::serve) })
}

/// The body of an answer: when it was sent the next request is waited for.
pub(super) fn leaving(body: Body, seat: &Arc<Seat>) -> Body {
    Body::new(Held { body, then: Then(Arc::clone(seat), Seat::wait) })
}

/// A body, and what it means for a seat that it is over.
struct Held<B> {
    body: B,
    #[expect(dead_code, reason = "it does its work when it is dropped")]
    then: Then,
}

struct Then(Arc<Seat>, fn(&Seat));

impl Drop for Then {
    fn drop(&mut self) {
        self.1(&self.0);
    }
}

impl<B: HttpBody + Unpin> HttpBody for Held<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
