//! The keys that a cluster's gossip is encrypted with. What is in here is secret: nothing but [`Key::text`] gives it away, and that wipes what it made.

mod file;
mod holder;
mod key;

pub use file::{KeyFile, KeyFileError, lines, load, read_guarded, read_secret, save};
pub use holder::{KeyHolder, Keys};
pub use key::Key;

use std::fmt;

use crate::model::{
    encryption::{Encryption, KeyId, Mode},
    limits,
};

/// Why keys were not changed.
#[derive(Debug)]
pub enum KeyRefusal {
    /// There is no file of keys.
    NoFile,
    /// There is no key with this id.
    NoSuchKey(KeyId),
    /// What would come of it is no ring of keys that works: why.
    Conflict(String),
    /// The file could not be read or written.
    File(KeyFileError),
}

impl fmt::Display for KeyRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyRefusal::NoFile => {
                f.write_str("this agent was started without a file of keys: name one with --key-file, then its keys can be changed here")
            }
            KeyRefusal::NoSuchKey(id) => write!(f, "there is no key {id} here"),
            KeyRefusal::Conflict(why) => f.write_str(why),
            KeyRefusal::File(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for KeyRefusal {}

/// Some keys. The first one encrypts; all of them decrypt.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keyring {
    keys: Vec<Key>,
}

impl Keyring {
    /// A ring of these keys, in this order.
    ///
    /// # Errors
    /// When there are too many, or two of them have one id: a receiver finds the key of a message by its id.
    pub fn new(keys: Vec<Key>) -> Result<Keyring, KeyRefusal> {
        let mut ring = Keyring::default();
        for key in keys {
            ring.add(key)?;
        }
        Ok(ring)
    }

    /// The keys, the one that encrypts first.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// Their ids, in the same order.
    pub fn ids(&self) -> Vec<u8> {
        self.keys.iter().map(|key| key.id().get()).collect()
    }

    /// What everybody may know of it.
    pub fn shown(&self, mode: Mode) -> Encryption {
        Encryption { mode, keys: self.keys.iter().map(|key| (key.id(), key.fingerprint())).collect() }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key with an id.
    pub fn get(&self, id: KeyId) -> Option<&Key> {
        self.keys.iter().find(|key| key.id() == id)
    }

    /// Adds a key behind the others, so that it decrypts; the first one there is encrypts at once. Whether it is new here.
    ///
    /// # Errors
    /// When there are too many, or another key has its id.
    pub fn add(&mut self, key: Key) -> Result<bool, KeyRefusal> {
        match self.get(key.id()) {
            Some(known) if *known == key => Ok(false),
            Some(_) => Err(KeyRefusal::Conflict(format!("another key has the id {}: generate a new one", key.id()))),
            None if self.keys.len() >= limits::KEYS => Err(KeyRefusal::Conflict(format!(
                "there are {} keys, which is as many as there may be: remove one that is not used any more",
                limits::KEYS
            ))),
            None => {
                self.keys.push(key);
                Ok(true)
            }
        }
    }

    /// Has a key encrypt from now on. Whether it did not before.
    ///
    /// # Errors
    /// When there is no such key.
    pub fn promote(&mut self, id: KeyId) -> Result<bool, KeyRefusal> {
        let place = self.place(id)?;
        let key = self.keys.remove(place);
        self.keys.insert(0, key);
        Ok(place != 0)
    }

    /// Takes a key away.
    ///
    /// # Errors
    /// When there is no such key, or it is the one that encrypts.
    pub fn remove(&mut self, id: KeyId) -> Result<(), KeyRefusal> {
        match self.place(id)? {
            0 => Err(KeyRefusal::Conflict(format!("key {id} is the one that encrypts: have another one do that first"))),
            place => {
                self.keys.remove(place);
                Ok(())
            }
        }
    }

    fn place(&self, id: KeyId) -> Result<usize, KeyRefusal> {
        self.keys.iter().position(|key| key.id() == id).ok_or(KeyRefusal::NoSuchKey(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: u8, secret: u8) -> Key {
        Key::new(KeyId::new(id).unwrap(), [secret; 32])
    }

    #[test]
    fn keys_are_added_behind_put_first_and_removed() {
        let mut ring = Keyring::new(vec![key(7, 1)]).unwrap();
        assert!(ring.add(key(9, 2)).unwrap() && !ring.add(key(9, 2)).unwrap());
        assert_eq!(ring.ids(), [7, 9]);
        assert!(ring.promote(KeyId::new(9).unwrap()).unwrap() && !ring.promote(KeyId::new(9).unwrap()).unwrap());
        assert_eq!(ring.ids(), [9, 7]);
        ring.remove(KeyId::new(7).unwrap()).unwrap();
        assert_eq!(ring.ids(), [9]);
    }

    #[test]
    fn a_ring_refuses_what_would_leave_messages_without_their_key() {
        let mut ring = Keyring::new(vec![key(7, 1)]).unwrap();
        assert!(ring.add(key(7, 2)).unwrap_err().to_string().contains("another key has the id 7"));
        assert!(ring.remove(KeyId::new(7).unwrap()).unwrap_err().to_string().contains("the one that encrypts"));
        assert!(ring.remove(KeyId::new(8).unwrap()).unwrap_err().to_string().contains("no key 8"));
        assert!(Keyring::new((1..=7).map(|id| key(id, id)).collect()).unwrap_err().to_string().contains("as many as there may be"));
    }
}
