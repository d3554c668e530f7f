//! Authorities of a scenario, and what they sign; and how the harness itself asks agents that serve https.

use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    net::{IpAddr, SocketAddr},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    version::{TLS12, TLS13},
};

/// Signs certificates.
#[derive(Debug)]
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
}

/// A certificate and its key.
struct Pair {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Authority {
    /// One whose certificate is written into `NAME.pem`.
    pub(crate) fn new(name: &str, folder: &Path) -> Authority {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("no names are fine");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("it can be signed");
        write(&folder.join(format!("{name}.pem")), &certificate.pem());
        Authority { root: certificate.der().clone(), issuer: Issuer::new(params, key) }
    }

    /// Writes a certificate for these names into `NAME.pem`, and its key into `NAME.key`, each at once.
    pub(crate) fn sign(&self, name: &str, names: &[String], folder: &Path) {
        let Pair { certificate, key } = self.pair(names);
        write(&folder.join(format!("{name}.pem")), &certificate.pem());
        write(&folder.join(format!("{name}.key")), &key.serialize_pem());
    }

    fn pair(&self, names: &[String]) -> Pair {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(names).expect("names and addresses");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        Pair { certificate: params.signed_by(&key, &self.issuer).expect("it can be signed"), key }
    }

    /// Settings that trust this authority and `others`, and show a certificate of this one.
    pub(crate) fn settings<'a>(
        &'a self,
        others: impl Iterator<Item = &'a Authority>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        for authority in others.chain([self]) {
            roots.add(authority.root.clone()).expect("it is a certificate");
        }
        let Pair { certificate, key } = self.pair(&["harness".to_owned()]);
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_protocol_versions(versions).expect("versions that there are").with_root_certificates(roots);
        let settings = builder.with_client_auth_cert(vec![certificate.der().clone()], key).expect("they belong together");
        Arc::new(settings)
    }
}

/// All authorities of a scenario, by name.
pub(crate) type Authorities = BTreeMap<String, Authority>;

/// Settings that trust all of them.
pub(crate) fn trusting_all(authorities: &Authorities) -> Option<Arc<ClientConfig>> {
    Some(authorities.values().next()?.settings(authorities.values().skip(1), &[&TLS13, &TLS12]))
}

/// How agents that serve https are asked.
static KNOWN: Mutex<BTreeMap<SocketAddr, Arc<ClientConfig>>> = Mutex::new(BTreeMap::new());

/// Has who asks at this address trust as the settings do.
pub(crate) fn register(agent: SocketAddr, settings: Arc<ClientConfig>) {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner).insert(agent, settings);
}

/// How the agent at this address is asked.
pub(crate) fn known(agent: SocketAddr) -> Option<Arc<ClientConfig>> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner).get(&agent).cloned()
}

/// An address for TLS.
pub(crate) fn name(address: IpAddr) -> rustls::pki_types::ServerName<'static> {
    rustls::pki_types::ServerName::from(address)
}

/// Nobody else may read it, and nobody reads half of it.
fn write(path: &Path, text: &str) {
    let new = path.with_extension("new");
    fs::write(&new, text).expect("the scenario's folder is writable");
    fs::set_permissions(&new, Permissions::from_mode(0o600)).expect("it is ours");
    fs::rename(new, path).expect("it is ours");
}
