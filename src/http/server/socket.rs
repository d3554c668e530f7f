//! The Unix socket: made so that nobody gets to it who may not, in place of a stale one, and removed at the end.

use std::{
    fmt,
    fs::{self, Permissions},
    io,
    os::{
        fd::OwnedFd,
        unix::{
            fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _},
            net::UnixListener as StdUnixListener,
        },
    },
    path::{Path, PathBuf},
};

use socket2::{Domain, SockAddr, Socket, Type};
use tokio::net::UnixListener;
use tracing::{info, warn};

/// Connections that may wait to be taken.
const BACKLOG: i32 = 1_024;

/// Why there is no socket. The message says what to do.
#[derive(Debug)]
pub struct SocketError {
    path: PathBuf,
    what: String,
}

impl fmt::Display for SocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP can't be served at {}: {}", self.path.display(), self.what)
    }
}

impl std::error::Error for SocketError {}

/// The file of a socket, which goes with this.
pub(super) struct SocketFile {
    path: PathBuf,
    /// Device and inode: what another program has put there meanwhile stays.
    id: (u64, u64),
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        match id_of(&self.path) {
            Ok(id) if id == self.id => {
                if let Err(error) = fs::remove_file(&self.path) {
                    warn!(path = %self.path.display(), %error, "the socket of the API stays behind");
                }
            }
            _ => {}
        }
    }
}

/// Binds a socket of this mode.
pub(super) fn bind(path: &Path, mode: u32) -> Result<(UnixListener, SocketFile), SocketError> {
    let failed = |what: String| SocketError { path: path.to_owned(), what };
    let address = SockAddr::unix(path).map_err(|_| failed("the path is too long for a socket; name a shorter one".into()))?;
    make_room(path, &address).map_err(failed)?;
    bind_at(path, &address, mode).map_err(|error| {
        failed(match error.kind() {
            io::ErrorKind::NotFound => "the folder is not there; make it, or name another one with --http-socket".into(),
            io::ErrorKind::PermissionDenied => "this user may make no file there; name another folder with --http-socket".into(),
            _ => error.to_string(),
        })
    })
}

fn bind_at(path: &Path, address: &SockAddr, mode: u32) -> io::Result<(UnixListener, SocketFile)> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    // On Linux the file takes its mode from the socket, less what the umask takes away.
    rustix::fs::fchmod(&socket, rustix::fs::Mode::from_raw_mode(mode))?;
    socket.bind(address)?;
    let file = SocketFile { path: path.to_owned(), id: id_of(path)? };
    // Nobody can connect before it listens.
    fs::set_permissions(path, Permissions::from_mode(mode))?;
    socket.listen(BACKLOG)?;
    Ok((UnixListener::from_std(StdUnixListener::from(OwnedFd::from(socket)))?, file))
}

/// Removes a socket that nobody serves.
fn make_room(path: &Path, address: &SockAddr) -> Result<(), String> {
    let there = match path.symlink_metadata() {
        Ok(there) => there,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    if !there.file_type().is_socket() {
        return Err("something is there that is no socket; remove it, or name another path with --http-socket".into());
    }
    let asking = || {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.connect(address)
    };
    match asking().map_err(|error: io::Error| (error.kind(), error)) {
        // Its backlog may be full.
        Ok(()) | Err((io::ErrorKind::WouldBlock, _)) => {
            Err("another program serves this socket; end it, or name another path with --http-socket".into())
        }
        Err((io::ErrorKind::ConnectionRefused, _)) => {
            info!(path = %path.display(), "a socket that nobody serves any more is replaced");
            fs::remove_file(path).map_err(|error| format!("a socket that nobody serves can't be removed: {error}"))
        }
        Err((_, error)) => Err(format!("whether somebody serves it can't be found out: {error}")),
    }
}

fn id_of(path: &Path) -> io::Result<(u64, u64)> {
    path.symlink_metadata().map(|file| (file.dev(), file.ino()))
}
