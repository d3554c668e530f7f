//! Whom a request means to reach. A page in a browser can give its own name this agent's address (DNS rebinding) and
//! then read and write here as if it were at home; but its requests still carry that name.

use std::net::IpAddr;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Uri, Version, header, uri::Authority},
    middleware::Next,
    response::Response,
};

use super::{
    ApiState,
    problem::{Problem, ProblemType},
    server::CertificateNames,
};
use crate::model::Domain;

/// Refuses requests for hosts that are not this one: neither an IP address, nor `localhost`, nor named in the configuration or in the
/// certificate that the connection was served: a browser that asks by a name has found it there.
pub(super) async fn refuse_other_hosts(State(state): State<ApiState>, request: Request, next: Next) -> Result<Response, Problem> {
    let certified = request.extensions().get().map_or(&[][..], |CertificateNames(names)| names);
    check(request.uri(), request.headers(), request.version(), &[&state.info.http_names, certified])?;
    Ok(next.run(request).await)
}

fn check(uri: &Uri, headers: &HeaderMap, version: Version, names: &[&[Domain]]) -> Result<(), Problem> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => Some(String::from_utf8_lossy(host.as_bytes())),
        // No browser speaks HTTP/1.0; load balancers that ask for health do, and need not name a host in it.
        (None, _) if version < Version::HTTP_11 => None,
        _ => return Err(Problem::new(ProblemType::MissingHost, "a request has one Host, that of the URL")),
    };
    // A target that names a host itself goes before Host (RFC 9112, 3.2.2); none of the two may be another's.
    let mut named = uri.authority().map(Authority::as_str).into_iter().chain(host.as_deref());
    let Some(other) = named.find(|named| !is_here(named, names)) else { return Ok(()) };
    let shown: String = other.chars().take(80).collect();
    let detail = format!("{shown:?} is not this agent: ask by IP address or as localhost, or start it with --http-name NAME");
    Err(Problem::new(ProblemType::Misdirected, detail))
}

fn is_here(authority: &str, names: &[&[Domain]]) -> bool {
    let Some(authority) = authority.parse::<Authority>().ok().filter(|authority| !authority.as_str().contains('@')) else {
        return false;
    };
    let host = authority.host();
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let name = host.strip_suffix('.').unwrap_or(host);
    address.parse::<IpAddr>().is_ok()
        || name.eq_ignore_ascii_case("localhost")
        || names.iter().copied().flatten().any(|known| known.as_str().eq_ignore_ascii_case(name))
}

/// Refuses what a page of another site makes a browser send. A `POST` without a body needs no leave of ours to be sent,
/// unlike all other writes here, which a browser asks about first and is told nothing.
pub(super) fn refuse_other_sites(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let site = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, site)| site);
    match site.zip(host) {
        Some((site, host)) if site.eq_ignore_ascii_case(host) => Ok(()),
        _ => Err(Problem::new(
            ProblemType::CrossSite,
            "the Origin of the request is another site; an agent is told to leave from its own host",
        )),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn addresses_localhost_and_names_that_are_configured_are_here() {
        let names = [Domain::new("agent.example").unwrap()];
        let names = [&[][..], &names];
        for here in ["127.0.0.1", "127.0.0.1:8780", "[::1]", "[fd00::5]:8780", "localhost:80", "LocalHost.", "Agent.Example:8780"] {
            assert!(is_here(here, &names), "{here}");
        }
        for elsewhere in
            ["evil.example", "agent.example.evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "a b", "::1:80:"]
        {
            assert!(!is_here(elsewhere, &names), "{elsewhere}");
        }
        assert!(!is_here("evil@127.0.0.1", &names) && !is_here("agent.example", &[]));
    }

    #[test]
    fn both_the_target_and_the_host_count() {
        let refused = |uri: &str, hosts: &[&str], version: Version| {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(header::HOST, host.parse().unwrap());
            }
            check(&uri.parse().unwrap(), &headers, version, &[]).err().map(|problem| problem.kind())
        };
        assert_eq!(refused("/v1", &["localhost"], Version::HTTP_11), None);
        assert_eq!(refused("/v1", &["evil.example"], Version::HTTP_11), Some(ProblemType::Misdirected));
        assert_eq!(refused("http://evil.example/v1", &["localhost"], Version::HTTP_11), Some(ProblemType::Misdirected));
        assert_eq!(refused("http://localhost/v1", &["evil.example"], Version::HTTP_11), Some(ProblemType::Misdirected));
        assert_eq!(refused("/v1", &[], Version::HTTP_11), Some(ProblemType::MissingHost));
        assert_eq!(refused("/v1", &["localhost", "localhost"], Version::HTTP_11), Some(ProblemType::MissingHost));
        assert_eq!(refused("/v1", &[], Version::HTTP_10), None);
        assert_eq!(refused("/v1", &["evil.example"], Version::HTTP_10), Some(ProblemType::Misdirected));
    }

    #[test]
    fn a_site_is_the_same_by_host_and_port() {
        let allowed = |origin: &'static str| {
            let pairs = [(header::HOST, HeaderValue::from_static("127.0.0.1:8780")), (header::ORIGIN, HeaderValue::from_static(origin))];
            refuse_other_sites(&HeaderMap::from_iter(pairs)).is_ok()
        };
        assert!(allowed("http://127.0.0.1:8780"));
        for other in ["http://127.0.0.1", "http://127.0.0.1:80", "https://evil.example", "null", ""] {
            assert!(!allowed(other), "{other}");
        }
        assert!(refuse_other_sites(&HeaderMap::new()).is_ok());
    }
}
