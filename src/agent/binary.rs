//! The agent's binary: this program, and how one build of it is told from another.
//!
//! Its identity is what the linker made out of its content (the note `NT_GNU_BUILD_ID`), which is at
//! the file's beginning: a run on hosts that have the agent never reads all of itself.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::OnceLock;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::diag;
use crate::system::{Algorithm, digest};

/// How much of the file's beginning is looked at for the note, in bytes.
const BEGINNING: u64 = 1 << 16;

/// `PT_NOTE` of the ELF specification.
const PROGRAM_NOTE: u32 = 4;
/// `NT_GNU_BUILD_ID`.
const BUILD_ID: u32 = 3;

/// The agent's binary: this program.
pub(super) struct Binary {
    identity: String,
    upload: OnceLock<Result<Upload, String>>,
}

/// What is sent to a host that doesn't have the agent.
pub(super) struct Upload {
    /// The SHA-256 of the program, in hex.
    pub(super) checksum: String,
    /// The program as it is, for hosts without `gzip`.
    pub(super) plain: Vec<u8>,
    /// The program compressed.
    pub(super) packed: Vec<u8>,
}

impl Binary {
    /// Identifies this program.
    ///
    /// # Errors
    /// What the operating system says.
    pub(super) fn own() -> std::io::Result<Binary> {
        let mut beginning = Vec::new();
        open()?.take(BEGINNING).read_to_end(&mut beginning)?;
        let identity = match build_id(&beginning) {
            Some(id) => id.iter().map(|byte| format!("{byte:02x}")).collect(),
            None => digest(&read()?, Algorithm::Sha256),
        };
        Ok(Binary {
            identity,
            upload: OnceLock::new(),
        })
    }

    /// Returns a name that no other build has: hex digits.
    pub(super) fn identity(&self) -> &str {
        &self.identity
    }

    /// Returns what is sent; made once, whoever asks meanwhile waits.
    ///
    /// # Errors
    /// What the operating system says.
    pub(super) fn upload(&self) -> Result<&Upload, String> {
        self.upload
            .get_or_init(|| Upload::own().map_err(|error| diag::os_message(&error)))
            .as_ref()
            .map_err(Clone::clone)
    }
}

impl Upload {
    /// Reads this program.
    fn own() -> std::io::Result<Upload> {
        let plain = read()?;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
        encoder.write_all(&plain)?;
        Ok(Upload {
            checksum: digest(&plain, Algorithm::Sha256),
            packed: encoder.finish()?,
            plain,
        })
    }
}

fn open() -> std::io::Result<File> {
    File::open("/proc/self/exe")
        .or_else(|_| std::env::current_exe().and_then(|path| File::open(Path::new(&path))))
}

fn read() -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open()?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Finds the build's identity in the beginning of a program file of 64 bits.
///
/// **Source:** the ELF specification, chapters "ELF header", "program header", "note section".
fn build_id(file: &[u8]) -> Option<&[u8]> {
    let little = match file.get(..6)? {
        [0x7f, b'E', b'L', b'F', 2, 1] => true,
        [0x7f, b'E', b'L', b'F', 2, 2] => false,
        _ => return None,
    };
    let number = |at: usize, size: usize| -> Option<usize> {
        let bytes = file.get(at..at.checked_add(size)?)?;
        let fold = |value: u64, byte: &u8| (value << 8) | u64::from(*byte);
        let value = if little {
            bytes.iter().rev().fold(0, fold)
        } else {
            bytes.iter().fold(0, fold)
        };
        usize::try_from(value).ok()
    };
    let (table, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
    (0..count).find_map(|index| {
        let header = table.checked_add(index.checked_mul(size)?)?;
        if number(header, 4)? != PROGRAM_NOTE as usize {
            return None;
        }
        let mut at = number(header + 8, 8)?;
        let end = at.checked_add(number(header + 32, 8)?)?;
        while at < end {
            let (name, content) = (number(at, 4)?, number(at + 4, 4)?);
            let text = at + 12;
            let value = text.checked_add(name.checked_next_multiple_of(4)?)?;
            if number(at + 8, 4)? == BUILD_ID as usize
                && file.get(text..text.checked_add(name)?)? == b"GNU\0"
                && content > 0
            {
                return file.get(value..value.checked_add(content)?);
            }
            at = value.checked_add(content.checked_next_multiple_of(4)?)?;
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The beginning of a program file with one note segment.
    fn program(kind: u8, name: [u8; 4], id: &[u8]) -> Vec<u8> {
        let mut file = vec![0; 64];
        file[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1]);
        (file[32], file[54], file[56]) = (64, 56, 1);
        file.extend([0; 56]);
        (file[64], file[72]) = (4, 120);
        file[96] = 16 + id.len() as u8;
        file.extend([4, 0, 0, 0, id.len() as u8, 0, 0, 0, kind, 0, 0, 0]);
        file.extend(name);
        file.extend(id);
        file
    }

    #[test]
    fn the_identity_is_in_the_note_of_that_name_and_kind() {
        let id = [0xab; 20];
        assert_eq!(build_id(&program(3, *b"GNU\0", &id)), Some(&id[..]));
        assert_eq!(build_id(&program(1, *b"GNU\0", &id)), None);
        assert_eq!(build_id(&program(3, *b"XYZ\0", &id)), None);
        assert_eq!(build_id(b"#!/bin/sh\n"), None);
    }

    #[test]
    fn a_broken_file_has_no_identity_and_is_no_panic() {
        let whole = program(3, *b"GNU\0", &[7; 20]);
        for cut in 0..whole.len() {
            assert_eq!(build_id(&whole[..cut]), None, "cut at {cut}");
        }
        for at in 0..whole.len() {
            let mut broken = whole.clone();
            broken[at] = 0xff;
            let _ = build_id(&broken);
        }
    }

    #[test]
    fn this_program_is_sent_with_the_checksum_of_all_its_bytes() {
        let binary = Binary::own().expect("readable");
        assert!(binary.identity().len() >= 16);
        assert!(binary.identity().bytes().all(|b| b.is_ascii_hexdigit()));
        let upload = binary.upload().expect("readable");
        let exe = std::fs::read("/proc/self/exe").expect("readable");
        assert!(upload.plain == exe && upload.packed.len() < exe.len());
        assert_eq!(upload.checksum, digest(&exe, Algorithm::Sha256));
    }
}
