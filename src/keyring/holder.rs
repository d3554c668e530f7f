//! The keys of this agent while it runs: who reads them, who changes them, and the file that they are in.

use std::{
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{Key, KeyFile, KeyRefusal, Keyring, load, save};
use crate::model::encryption::{Encryption, KeyId, Mode};

/// How gossip is encrypted, and with what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keys {
    /// How far it is turned on.
    pub mode: Mode,
    /// The keys.
    pub keyring: Keyring,
    /// The file that they are in.
    pub file: Option<(PathBuf, KeyFile)>,
}

impl Keys {
    /// What everybody may know of them.
    pub fn shown(&self) -> Encryption {
        self.keyring.shown(self.mode)
    }
}

/// Holds the keys, and tells of each change. The file is the truth: a change is made there first, to what stands there then.
pub struct KeyHolder {
    held: Mutex<Keys>,
    tell: Box<dyn Fn(&Keys) + Send + Sync>,
}

impl KeyHolder {
    /// Holds these; `tell` hears of each change, one after the other.
    pub fn new(encryption: Keys, tell: impl Fn(&Keys) + Send + Sync + 'static) -> KeyHolder {
        KeyHolder { held: Mutex::new(encryption), tell: Box::new(tell) }
    }

    /// What is held now.
    pub fn get(&self) -> Keys {
        self.lock().clone()
    }

    /// Holds others from now on, as the configuration says.
    pub fn replace(&self, new: Keys) {
        self.take(&mut self.lock(), new);
    }

    /// Adds a key to the file, behind the others, and holds it. Whether it is new there. May wait for the disk.
    ///
    /// # Errors
    /// [`KeyRefusal`]; nothing was changed then.
    pub fn add(&self, key: Key) -> Result<bool, KeyRefusal> {
        self.change(|ring| ring.add(key))
    }

    /// Has a key encrypt. Whether it did not before. May wait for the disk.
    ///
    /// # Errors
    /// [`KeyRefusal`]; nothing was changed then.
    pub fn promote(&self, id: KeyId) -> Result<bool, KeyRefusal> {
        self.change(|ring| ring.promote(id))
    }

    /// Takes a key away. May wait for the disk.
    ///
    /// # Errors
    /// [`KeyRefusal`]; nothing was changed then.
    pub fn remove(&self, id: KeyId) -> Result<(), KeyRefusal> {
        self.change(|ring| ring.remove(id))
    }

    fn change<T>(&self, change: impl FnOnce(&mut Keyring) -> Result<T, KeyRefusal>) -> Result<T, KeyRefusal> {
        let mut held = self.lock();
        let (path, kind) = held.file.clone().ok_or(KeyRefusal::NoFile)?;
        let before = load(&path, kind).map_err(KeyRefusal::File)?;
        let mut keyring = before.clone();
        let done = change(&mut keyring)?;
        if keyring != before {
            save(&path, &keyring).map_err(KeyRefusal::File)?;
        }
        let new = Keys { keyring, ..held.clone() };
        self.take(&mut held, new);
        Ok(done)
    }

    fn take(&self, held: &mut MutexGuard<'_, Keys>, new: Keys) {
        if **held != new {
            **held = new;
            (self.tell)(held);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Keys> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, Permissions},
        os::unix::fs::PermissionsExt as _,
        sync::Arc,
    };

    use super::*;

    fn key(id: u8) -> Key {
        Key::new(KeyId::new(id).unwrap(), [id; 32])
    }

    #[test]
    fn a_change_is_in_the_file_before_it_is_told_and_is_made_to_what_stands_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        fs::write(&path, &*key(1).text()).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let file = Some((path.clone(), KeyFile::Ours));
        let told = Arc::new(Mutex::new(Vec::new()));
        let (tell, in_file) = (told.clone(), path.clone());
        let holder = KeyHolder::new(Keys { mode: Mode::Require, keyring: load(&path, KeyFile::Ours).unwrap(), file }, move |now| {
            assert_eq!(load(&in_file, KeyFile::Ours).unwrap(), now.keyring);
            tell.lock().unwrap().push(now.keyring.keys().iter().map(|key| key.id().get()).collect::<Vec<_>>());
        });
        // Somebody wrote a key there by hand.
        save(&path, &Keyring::new(vec![key(1), key(9)]).unwrap()).unwrap();
        assert!(holder.add(key(2)).unwrap());
        assert!(!holder.add(key(2)).unwrap());
        assert!(holder.promote(key(2).id()).unwrap());
        holder.remove(key(1).id()).unwrap();
        assert!(matches!(holder.remove(key(2).id()), Err(KeyRefusal::Conflict(_))));
        assert_eq!(*told.lock().unwrap(), [vec![1, 9, 2], vec![2, 1, 9], vec![2, 9]]);
        assert_eq!(holder.get().keyring, load(&path, KeyFile::Ours).unwrap());
    }

    #[test]
    fn without_a_file_nothing_is_changed() {
        let holder = KeyHolder::new(Keys::default(), |_| panic!("nothing changed"));
        assert!(matches!(holder.add(key(1)), Err(KeyRefusal::NoFile)));
        assert!(holder.get().keyring.is_empty());
    }
}
