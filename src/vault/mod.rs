//! Ansible's vault: texts that are encrypted, and the passwords that open them.
//!
//! `format` is the envelope, `cipher` what is inside of it, `keyring` the passwords of a run.
//! Nothing here knows playbooks or templates.
//!
//! ```
//! use regrole::vault::{Keyring, encrypt};
//! let envelope = encrypt(b"hidden", b"password", b"0123456789abcdef", Some("dev"));
//! let mut keyring = Keyring::default();
//! keyring.add("dev", b"password".to_vec());
//! assert_eq!(keyring.decrypt(envelope.as_bytes()).expect("it opens"), b"hidden");
//! ```

mod cipher;
mod format;
mod keyring;

pub use format::{Fault, is_encrypted};
pub use keyring::{Keyring, NamedSecret};

/// What every identity that has no name is called.
pub const DEFAULT_ID: &str = "default";

/// How many random bytes a new envelope's salt has.
const SALT_LENGTH: usize = 32;

/// Encrypts bytes with a password, as `ansible-vault encrypt` does; the envelope ends in a newline.
///
/// The same salt gives the same envelope. An identity is written into it.
pub fn encrypt(plain: &[u8], password: &[u8], salt: &[u8], id: Option<&str>) -> String {
    let (tag, encrypted) = cipher::encrypt(plain, password, salt);
    let body = format::Body {
        salt: salt.to_vec(),
        tag,
        encrypted,
    };
    format::write(&body, id)
}

/// Returns a salt for [`encrypt`] that nothing else has.
pub fn new_salt() -> Vec<u8> {
    let salt: [u8; SALT_LENGTH] = rand::random();
    salt.to_vec()
}
