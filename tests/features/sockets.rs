//! Sockets of the harness: those to an agent on a host of its own are opened on that host.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::net::{TcpSocket, TcpStream, UdpSocket};

use crate::netns::host::Host;

/// Which host has an address. All others are this machine's.
static HOSTS: Mutex<BTreeMap<IpAddr, Weak<Host>>> = Mutex::new(BTreeMap::new());

/// Tells that a host has an address, for as long as the host is there.
pub(crate) fn register(address: IpAddr, host: &Arc<Host>) {
    let mut hosts = HOSTS.lock().unwrap_or_else(PoisonError::into_inner);
    hosts.retain(|_, host| host.strong_count() > 0);
    hosts.insert(address, Arc::downgrade(host));
}

fn at<T>(address: IpAddr, deed: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let host = HOSTS.lock().unwrap_or_else(PoisonError::into_inner).get(&address).and_then(Weak::upgrade);
    match host {
        Some(host) => host.within(deed),
        None => deed(),
    }
}

/// A connection, from the host that it goes to.
pub(crate) async fn connect(to: SocketAddr) -> io::Result<TcpStream> {
    at(to.ip(), || if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() })?.connect(to).await
}

/// A socket on the host that has `from`. It takes what comes from `to`, and from nowhere else.
pub(crate) fn datagrams(from: IpAddr, to: SocketAddr) -> io::Result<UdpSocket> {
    let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = at(from, || std::net::UdpSocket::bind(any))?;
    socket.connect(to)?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}
