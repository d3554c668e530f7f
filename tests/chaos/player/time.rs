//! Time, as it passes.

use tidings::{core::time::Moment, sim::runner::Failure};

use super::Player;

impl Player<'_> {
    /// Lets time pass, and everything happen that happens meanwhile.
    pub(super) async fn run_until(&mut self, end: Moment) -> Result<(), Failure> {
        loop {
            self.after_something()?;
            if self.board.now() >= end {
                return Ok(());
            }
            self.breathe(end).await?;
        }
    }

    /// Lets time pass until something happens, or this moment has come.
    pub(super) async fn breathe(&mut self, end: Moment) -> Result<(), Failure> {
        let thaws = self.lives.iter().filter_map(|life| life.frozen_until);
        let ends = self.watches.iter().map(|watch| watch.until);
        let next = thaws.chain(ends).chain(self.writes.next_deadline()).chain([end]).min().unwrap_or(end);
        let board = self.board.clone();
        tokio::select! {
            () = board.changed.notified() => {}
            () = tokio::time::sleep_until(board.instant(next)) => {}
        }
        self.after_something()
    }
}
