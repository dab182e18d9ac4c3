//! The passwords of a run, and what they have opened so far.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::{DEFAULT_ID, Fault, cipher, format};
use crate::value::Secret;

/// A password and the identity that it belongs to.
#[derive(Clone, Debug)]
pub struct NamedSecret {
    /// The identity.
    pub id: String,
    /// The password.
    pub password: Secret<Vec<u8>>,
}

/// The passwords of a run, in the order in which they are tried.
///
/// Deriving a key is slow on purpose, so a text is opened once.
#[derive(Default)]
pub struct Keyring {
    secrets: Vec<NamedSecret>,
    /// Only passwords of the identity that an envelope names are tried.
    only_named: bool,
    opened: RefCell<HashMap<Rc<str>, Rc<str>>>,
    /// The envelopes of opened texts, by where those are kept.
    envelopes: RefCell<HashMap<usize, Rc<str>>>,
}

impl Keyring {
    /// Adds a password.
    pub fn add(&mut self, id: &str, password: Vec<u8>) {
        self.secrets.push(NamedSecret {
            id: id.to_owned(),
            password: Secret::new(password),
        });
    }

    /// Tries only passwords of the identity that an envelope names.
    pub fn require_named(&mut self) {
        self.only_named = true;
    }

    /// Opens an envelope.
    ///
    /// # Errors
    /// Why it can't be opened.
    pub fn decrypt(&self, envelope: &[u8]) -> Result<Vec<u8>, Fault> {
        if !format::is_encrypted(envelope) {
            return Err(Fault::NotEncrypted);
        }
        if self.secrets.is_empty() {
            return Err(Fault::NoSecrets);
        }
        let (id, body) = format::read(envelope)?;
        let id = id.as_deref().unwrap_or(DEFAULT_ID);
        let (named, mut others): (Vec<_>, Vec<_>) =
            self.secrets.iter().partition(|secret| secret.id == id);
        if self.only_named {
            others.clear();
        }
        named
            .iter()
            .chain(&others)
            .find_map(|secret| {
                let password = secret.password.expose();
                cipher::decrypt(&body.encrypted, &body.tag, password, &body.salt)
            })
            .ok_or(Fault::NoneFits)
    }

    /// Opens an envelope that holds text, once.
    ///
    /// # Errors
    /// Why it can't be opened.
    pub fn text(&self, envelope: &Rc<str>) -> Result<Rc<str>, Fault> {
        if let Some(known) = self.opened.borrow().get(envelope) {
            return Ok(known.clone());
        }
        let bytes = self.decrypt(envelope.as_bytes())?;
        Ok(self.keep(envelope, &String::from_utf8_lossy(&bytes)))
    }

    /// Remembers what an envelope holds; returns the text that then knows its envelope.
    pub fn keep(&self, envelope: &str, text: &str) -> Rc<str> {
        let (envelope, text): (Rc<str>, Rc<str>) = (envelope.into(), text.into());
        self.envelopes
            .borrow_mut()
            .insert(address(&text), envelope.clone());
        self.opened.borrow_mut().insert(envelope, text.clone());
        text
    }

    /// Returns the envelope that a text came out of, where it is the very one.
    pub fn envelope_of(&self, text: &Rc<str>) -> Option<Rc<str>> {
        // What is opened is kept, so that nothing else can be where it is.
        self.envelopes.borrow().get(&address(text)).cloned()
    }
}

fn address(text: &Rc<str>) -> usize {
    text.as_ptr() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::encrypt;

    fn keyring(secrets: &[(&str, &str)]) -> Keyring {
        let mut keyring = Keyring::default();
        for (id, password) in secrets {
            keyring.add(id, password.as_bytes().to_vec());
        }
        keyring
    }

    #[test]
    fn what_ansible_encrypted_is_opened() {
        let envelope = "$ANSIBLE_VAULT;1.1;AES256\n61343063373765333339656537366633386566623065616661373339336164616239643761643030\n3463383838326365316361356433616363616261646433340a376364343930636565363066646162\n66613361313732613335393565383135396638636636363932326665353534376266316364336563\n3261343265316435340a376631643063373531613162623165303738353761373132396130376434\n38396234653937626661323036383461356265373564313762616266346533653138\n";
        let plain = keyring(&[("default", "pw1")]).decrypt(envelope.as_bytes());
        assert_eq!(plain, Ok(b"top secret {{ 1 + 1 }}".to_vec()));
    }

    #[test]
    fn every_password_is_tried_unless_the_identity_has_to_match() {
        let envelope = encrypt(b"x", b"b", b"salt", Some("two"));
        let mut keys = keyring(&[("one", "b"), ("two", "a")]);
        assert_eq!(keys.decrypt(envelope.as_bytes()), Ok(b"x".to_vec()));
        keys.require_named();
        assert_eq!(keys.decrypt(envelope.as_bytes()), Err(Fault::NoneFits));
        assert_eq!(
            keyring(&[]).decrypt(envelope.as_bytes()),
            Err(Fault::NoSecrets)
        );
    }

    #[test]
    fn an_opened_text_knows_its_envelope_and_an_equal_one_does_not() {
        let keys = keyring(&[("default", "b")]);
        let envelope: Rc<str> = encrypt(b"x", b"b", b"salt", None).into();
        let text = keys.text(&envelope).expect("it opens");
        assert_eq!(keys.envelope_of(&text), Some(envelope));
        assert_eq!(keys.envelope_of(&Rc::from("x")), None);
    }

    #[test]
    fn a_changed_envelope_does_not_open() {
        let envelope = encrypt(b"x", b"b", b"salt", None);
        let changed = envelope.trim_end().to_owned();
        let changed = format!("{}33", &changed[..changed.len() - 2]);
        assert!(keyring(&[("a", "b")]).decrypt(changed.as_bytes()).is_err());
    }
}
