//! https: whom a command trusts, and what is to be done where it does not.

use std::{path::Path, sync::Arc};

use rustls::{AlertDescription, CertificateError, ClientConfig, Error, InvalidMessage};

use crate::{
    keyring::KeyFile,
    tls::{self, Identity},
};

/// Settings that trust the authorities in a file, or else those of the system, and show a certificate where there is one.
///
/// # Errors
/// What can't be read or used, with the flag that named it.
pub(super) fn settings(ca: Option<&Path>, pair: Option<(&Path, &Path)>) -> Result<Arc<ClientConfig>, String> {
    let roots = match ca {
        Some(file) => tls::roots_in(file).map_err(|error| format!("--ca: {error}"))?.store,
        None => {
            tls::system_roots().map_err(|why| format!("this system trusts no certificates; name those to trust with --ca FILE: {why}"))?
        }
    };
    let identity = pair.map(|(certificate, key)| Identity::load(certificate, key, KeyFile::Ours)).transpose();
    tls::client(roots, identity.map_err(of_pair)?).map_err(of_pair)
}

fn of_pair(error: String) -> String {
    format!("--client-certificate: {error}")
}

/// What went wrong, and what to do about it.
pub(super) fn explain(error: &Error) -> String {
    use AlertDescription as Alert;
    match error {
        Error::InvalidCertificate(flaw) => untrusted(flaw),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => "what is there speaks no TLS: ask with http://".into(),
        Error::AlertReceived(Alert::CertificateRequired) => {
            "it wants a certificate: show it one with --client-certificate and --client-key".into()
        }
        Error::AlertReceived(
            alert
            @ (Alert::UnknownCA | Alert::BadCertificate | Alert::CertificateExpired | Alert::CertificateUnknown | Alert::DecryptError),
        ) => format!("it does not take the certificate that was shown, or misses one ({alert:?}): see --client-certificate"),
        error => format!("TLS: {error}"),
    }
}

fn untrusted(flaw: &CertificateError) -> String {
    match flaw {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "its certificate is signed by no authority that is trusted here: name that one with --ca FILE or TIDINGS_CA".into()
        }
        CertificateError::NotValidForNameContext { .. } => format!("it is called otherwise, {flaw}: ask by a name that is in it"),
        CertificateError::ExpiredContext { .. } => format!("its {flaw}: it needs a new one"),
        CertificateError::NotValidYetContext { .. } => format!("its {flaw}: see whether the clocks of both hosts are right"),
        // webpki tells it in no other way.
        CertificateError::Other(_) if flaw.to_string().contains("CaUsedAsEndEntity") => {
            "its certificate is that of an authority, which is to sign others and not to be shown itself (CaUsedAsEndEntity)".into()
        }
        flaw => format!("its certificate is not taken: {flaw}"),
    }
}
