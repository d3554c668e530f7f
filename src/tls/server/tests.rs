use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use super::*;
use crate::{keyring::KeyFile, tls::roots_in};

/// A folder with a certificate for these names and its key.
fn pair(names: &[&str]) -> (TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
    let (certificate_file, key_file) = (folder.path().join("a.pem"), folder.path().join("a.key"));
    for (file, text) in [(&certificate_file, certificate.pem()), (&key_file, key.serialize_pem())] {
        fs::write(file, text).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    }
    (folder, certificate_file, key_file)
}

fn load(certificate: &Path, key: &Path) -> Result<Server, String> {
    Server::new(Identity::load(certificate, key, KeyFile::Ours)?, None)
}

#[test]
fn the_names_of_a_certificate_are_those_of_one_host() {
    let (_folder, certificate, key) = pair(&["agent.example", "*.example", "127.0.0.1", "Other.Example"]);
    let server = load(&certificate, &key).unwrap();
    assert_eq!(server.names().iter().map(Domain::as_str).collect::<Vec<_>>(), ["agent.example", "other.example"]);
}

#[test]
fn two_are_equal_that_show_the_same_certificate_and_ask_for_the_same() {
    let (_folder, certificate, key) = pair(&["a"]);
    let (_other_folder, other_certificate, other_key) = pair(&["a"]);
    let server = load(&certificate, &key).unwrap();
    assert_eq!(server, load(&certificate, &key).unwrap());
    assert_ne!(server, load(&other_certificate, &other_key).unwrap());
    let asking = Server::new(Identity::load(&certificate, &key, KeyFile::Ours).unwrap(), Some(roots_in(&certificate).unwrap())).unwrap();
    assert_ne!(server, asking);
}

#[test]
fn what_is_of_no_use_is_told_without_what_is_secret() {
    let (_folder, certificate, key) = pair(&["a"]);
    let (_other_folder, other_certificate, other_key) = pair(&["b"]);
    let refused = |certificate: &Path, key: &Path, says: &str| {
        let error = load(certificate, key).unwrap_err();
        assert!(error.contains(says), "{error}");
        error
    };
    refused(&certificate, &other_key, "the key is not that of the certificate");
    refused(&key, &key, "a.key: holds no certificate in PEM");
    refused(&certificate, &certificate, "holds no private key in PEM");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    refused(&certificate, &key, "its mode is 0640");
    let text = fs::read_to_string(&other_key).unwrap();
    let encrypted = text.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    fs::write(&other_key, &encrypted).unwrap();
    refused(&other_certificate, &other_key, "that is not encrypted itself");
    let secret = text.lines().nth(1).unwrap();
    fs::write(&other_key, text.replace(&secret[..4], "@@@@")).unwrap();
    let error = refused(&other_certificate, &other_key, "holds no private key in PEM");
    assert!(!error.contains(&secret[5..20]), "{error}");
}
