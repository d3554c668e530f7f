//! A file of keys: one on each line, the first one encrypts. What stands behind a `#` is for people.

use std::{
    fmt,
    fs::{self, File, Permissions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::{Key, Keyring};

/// Octets of the largest file that is read.
const FILE_OCTETS: u64 = 16 * 1024;

/// Why keys were not read or written. It names the file and the line, and never a key.
#[derive(Debug)]
pub struct KeyFileError {
    path: PathBuf,
    what: String,
}

impl fmt::Display for KeyFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.what)
    }
}

impl std::error::Error for KeyFileError {}

/// Who sees to it that nobody else reads a file of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFile {
    /// Its owner, by its mode.
    Ours,
    /// systemd, which may do so by an access list that its mode does not show.
    Credential,
}

/// Reads a file of keys.
///
/// # Errors
/// When it can't be read, others than its owner may read it, a line is no key, or it has no key.
pub fn load(path: &Path, kind: KeyFile) -> Result<Keyring, KeyFileError> {
    let failed = |what: String| KeyFileError { path: path.to_owned(), what };
    let text = read_guarded(path, kind).map_err(|error| failed(error.to_string()))?;
    let mut keys = Vec::new();
    for (number, line) in lines(&text) {
        keys.push(Key::parse(line).map_err(|error| failed(format!("line {number}: {error}")))?);
    }
    if keys.is_empty() {
        return Err(failed("there is no key in it; `tidings keys generate` makes one".into()));
    }
    Keyring::new(keys).map_err(|refusal| failed(refusal.to_string()))
}

/// The lines of a file of keys that are for programs, with their numbers.
pub fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    (1..).zip(lines).filter(|(_, line)| !line.is_empty())
}

/// Reads a text that is secret, and no longer than a file of keys may be.
///
/// # Errors
/// Those of the reader, and where it is longer.
pub fn read_secret(from: impl io::Read) -> io::Result<Zeroizing<String>> {
    // At once, so that no copy is left behind by a buffer that grew.
    let mut text = Zeroizing::new(String::with_capacity(FILE_OCTETS as usize + 1));
    if from.take(FILE_OCTETS + 1).read_to_string(&mut text)? as u64 > FILE_OCTETS {
        return Err(io::Error::other(format!("it is larger than {FILE_OCTETS} octets")));
    }
    Ok(text)
}

/// Reads a file that is secret, and no longer than a file of keys may be.
///
/// # Errors
/// When it can't be read, is longer, or others than its owner may read it.
pub fn read_guarded(path: &Path, kind: KeyFile) -> io::Result<Zeroizing<String>> {
    let file = File::open(path)?;
    let mode = file.metadata()?.mode();
    if kind == KeyFile::Ours && mode & 0o077 != 0 {
        let refusal = format!(
            "others than its owner may use it (its mode is {:04o}): chmod 600 it, and take new keys if somebody did",
            mode & 0o7777
        );
        return Err(io::Error::other(refusal));
    }
    read_secret(file)
}

/// Puts other keys into a file, as a whole or not at all. What stood in it for people is gone.
///
/// # Errors
/// When the system does not write it.
pub fn save(path: &Path, ring: &Keyring) -> Result<(), KeyFileError> {
    replace(path, ring).map_err(|error| KeyFileError { path: path.to_owned(), what: format!("can't be written: {error}") })
}

fn replace(path: &Path, ring: &Keyring) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let owner = fs::metadata(path)?;
    let mut file = tempfile::Builder::new().prefix(".tidings-keys-").permissions(Permissions::from_mode(0o600)).tempfile_in(folder)?;
    writeln!(file, "# Keys of a cluster's gossip. The first one encrypts, all of them decrypt.")?;
    for key in ring.keys() {
        writeln!(file, "{}", &*key.text())?;
    }
    // Root alone can give a file away, and under systemd's filter of calls nobody may try. The group has no rights in it.
    if file.as_file().metadata()?.uid() != owner.uid() {
        std::os::unix::fs::fchown(file.as_file(), Some(owner.uid()), Some(owner.gid()))?;
    }
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        (folder, path)
    }

    const KEY: &str = "3:paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=";

    #[test]
    fn keys_are_read_in_their_order_and_come_back_as_they_were_saved() {
        let (_folder, path) = written(&format!("# ours\n\n  {KEY}  # of May\n7:{}\n", &KEY[2..]), 0o400);
        let mut ring = load(&path, KeyFile::Ours).unwrap();
        assert_eq!(ring.keys().iter().map(|key| key.id().get()).collect::<Vec<_>>(), [3, 7]);
        ring.promote("7".parse().unwrap()).unwrap();
        save(&path, &ring).unwrap();
        assert_eq!(load(&path, KeyFile::Ours).unwrap(), ring);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_with_its_line_and_without_its_keys() {
        let refused = |text: &str, mode, says: &str| {
            let (_folder, path) = written(text, mode);
            let error = load(&path, KeyFile::Ours).unwrap_err().to_string();
            assert!(error.contains(says) && !error.contains("paWl"), "{error}");
        };
        refused(KEY, 0o640, "its mode is 0640");
        refused(KEY, 0o604, "chmod 600");
        refused("# nothing", 0o600, "there is no key in it");
        refused(&format!("{KEY}\n4:paWlpaWl"), 0o600, "line 2: what stands behind the colon");
        refused(&format!("{KEY}\n3:{}", KEY[2..].replacen("paWl", "aaaa", 1).as_str()), 0o600, "another key has the id 3");
        assert!(load(Path::new("/nowhere/keys"), KeyFile::Ours).unwrap_err().to_string().starts_with("/nowhere/keys: "));
    }
}
