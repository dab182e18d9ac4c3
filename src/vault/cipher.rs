//! AES-256 in counter mode, with keys of PBKDF2 and an HMAC over what is encrypted.
//!
//! **Source:** "Ansible Vault payload format 1.1 - 1.2" of Ansible's documentation.

use aes::Aes256;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How often PBKDF2 hashes.
const ITERATIONS: u32 = 10_000;

/// The length of a key of AES-256, in bytes.
const KEY: usize = 32;

/// The length of a block of AES, in bytes.
const BLOCK: usize = 16;

/// What a password and a salt give: two keys, and where the counter begins.
struct Keys([u8; KEY + KEY + BLOCK]);

impl Keys {
    fn derive(password: &[u8], salt: &[u8]) -> Keys {
        Keys(pbkdf2::pbkdf2_hmac_array::<Sha256, { KEY + KEY + BLOCK }>(
            password, salt, ITERATIONS,
        ))
    }

    /// Encrypts and decrypts, which is the same.
    fn apply(&self, data: &mut [u8]) {
        let (key, rest) = self.0.split_at(KEY);
        let counter = &rest[KEY..];
        Ctr128BE::<Aes256>::new_from_slices(key, counter)
            .expect("both have the length that the cipher wants")
            .apply_keystream(data);
    }

    fn mac(&self, data: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0[KEY..KEY + KEY])
            .expect("an HMAC takes a key of any length");
        mac.update(data);
        mac
    }
}

/// Encrypts; returns the HMAC and what is encrypted.
pub(super) fn encrypt(plain: &[u8], password: &[u8], salt: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let keys = Keys::derive(password, salt);
    let padding = BLOCK - plain.len() % BLOCK;
    let mut data = plain.to_vec();
    data.resize(plain.len() + padding, padding as u8);
    keys.apply(&mut data);
    let tag = keys.mac(&data).finalize().into_bytes().to_vec();
    (tag, data)
}

/// Decrypts; `None` where the password is another one, or something was changed.
pub(super) fn decrypt(
    encrypted: &[u8],
    tag: &[u8],
    password: &[u8],
    salt: &[u8],
) -> Option<Vec<u8>> {
    let keys = Keys::derive(password, salt);
    keys.mac(encrypted).verify_slice(tag).ok()?;
    let mut data = encrypted.to_vec();
    keys.apply(&mut data);
    let padding = usize::from(*data.last()?);
    let whole = (1..=BLOCK).contains(&padding) && padding <= data.len();
    whole.then(|| data.truncate(data.len() - padding))?;
    Some(data)
}
