//! Writing to standard output and standard error.
//!
//! Colours are written always and taken out again where they don't go to a terminal. A reader that went away, as
//! `head` does, is no error: it has seen what it wanted.

use std::{
    future::pending,
    io::{self, ErrorKind, Write},
    thread,
};

use anstyle::{AnsiColor, Style};
use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
};
use tokio::sync::oneshot;

use super::{Exit, Failure};

/// Of a heading.
pub(super) const HEADING: Style = Style::new().bold();
/// Of what went wrong.
pub(super) const BAD: Style = AnsiColor::Red.on_default();
/// Of what may go wrong.
pub(super) const DOUBTFUL: Style = AnsiColor::Yellow.on_default();
/// Of what went well.
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
/// Of what can be typed.
pub(super) const TYPED: Style = AnsiColor::Cyan.on_default();
/// Of what matters less.
pub(super) const FAINT: Style = Style::new().dimmed();

/// Writes text for people to standard output.
///
/// # Errors
/// When it can't be written, for another reason than that nobody reads on.
pub(super) fn show(text: &str) -> Result<(), Failure> {
    delivered(anstream::stdout().lock().write_all(text.as_bytes()))
}

/// Writes octets to standard output as they are, and a line's end where there is none.
///
/// # Errors
/// As [`show`].
pub(super) fn pass_on(octets: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let end: &[u8] = if octets.ends_with(b"\n") { b"" } else { b"\n" };
    delivered(out.write_all(octets).and_then(|()| out.write_all(end)).and_then(|()| out.flush()))
}

/// Writes octets to standard output at once, text for people among them. False when nobody reads on.
///
/// # Errors
/// As [`show`].
pub(super) fn tell(octets: &[u8]) -> Result<bool, Failure> {
    let mut out = anstream::stdout().lock();
    let result = out.write_all(octets).and_then(|()| out.flush());
    let unread = result.as_ref().is_err_and(|error| error.kind() == ErrorKind::BrokenPipe);
    delivered(result).map(|()| !unread)
}

/// Ends when nobody reads standard output any more, without writing to it; never where that can't be seen, as with a file.
pub(super) async fn unread() {
    let (tell, told) = oneshot::channel();
    // A thread of its own, which ends with the program: standard output can't be made non-blocking without changing it for others.
    thread::spawn(move || {
        if hung_up() {
            let _ = tell.send(());
        }
    });
    if told.await.is_err() {
        pending().await
    }
}

/// Waits until the other end of standard output is gone. False where the system can't tell.
fn hung_up() -> bool {
    let out = io::stdout();
    loop {
        // Nothing is asked for: errors and hang-ups are told of anyway.
        match poll(&mut [PollFd::new(&out, PollFlags::empty())], None) {
            Ok(_) => return true,
            Err(Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

fn delivered(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::no(format!("can't write to standard output: {error}"))),
        _ => Ok(()),
    }
}

/// Writes a line to standard error. There is nobody to tell that it can't be written.
pub(super) fn remark(text: &str) {
    drop(writeln!(anstream::stderr().lock(), "{text}"));
}

/// Explains a failure on standard error and gives its exit code.
pub(super) fn fail(failure: &Failure) -> Exit {
    let bold = BAD.bold();
    remark(&format!("{bold}error:{bold:#} {}", failure.message));
    failure.exit
}

/// Text from elsewhere on one line, without what a terminal might take for a command to itself.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_went_away_is_no_error() {
        assert_eq!(delivered(Err(ErrorKind::BrokenPipe.into())), Ok(()));
        assert_eq!(delivered(Err(ErrorKind::StorageFull.into())).unwrap_err().exit, Exit::No);
    }

    #[test]
    fn text_from_elsewhere_commands_no_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\nc é"), "a\u{fffd}[2Jb\u{fffd}c é");
    }
}
