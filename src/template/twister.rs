//! Python's random numbers: the Mersenne Twister, seeded as Python 3 seeds it.
//!
//! **Source:** Matsumoto and Nishimura, "Mersenne Twister" (MT19937); Python's documentation of
//! `random.seed` (version 2), `randrange`, `choice`, `shuffle`.

use num_bigint::{BigInt, BigUint, Sign};
use sha2::Digest;

use super::filters::bad_seed;
use crate::diag::Result;
use crate::value::Value;

const SIZE: usize = 624;
const MIDDLE: usize = 397;

/// The generator.
pub(super) struct Twister {
    state: [u32; SIZE],
    next: usize,
}

impl Twister {
    /// Makes the generator that `random.Random(seed)` is.
    ///
    /// # Errors
    /// A seed that is no number and no text.
    pub(super) fn seeded(seed: &Value) -> Result<Twister> {
        let number = match seed {
            Value::Bool(_) | Value::Int(_) | Value::Big(_) => {
                let number = match seed {
                    Value::Big(big) => big.as_ref().clone(),
                    other => BigInt::from(other.as_i64().unwrap_or(0)),
                };
                number.magnitude().clone()
            }
            // Other numbers stand for their hash.
            Value::Float(number) => BigUint::from(float_hash(*number) as u64),
            Value::Str(text) => of_bytes(text.as_bytes()),
            Value::Bytes(bytes) => of_bytes(bytes),
            other => return Err(bad_seed(other)),
        };
        let mut key = number.to_u32_digits();
        if key.is_empty() {
            key.push(0);
        }
        Ok(Twister::keyed(&key))
    }

    fn plain(seed: u32) -> Twister {
        let mut state = [0u32; SIZE];
        state[0] = seed;
        for at in 1..SIZE {
            let before = state[at - 1];
            state[at] = 1_812_433_253u32
                .wrapping_mul(before ^ (before >> 30))
                .wrapping_add(at as u32);
        }
        Twister { state, next: SIZE }
    }

    fn keyed(key: &[u32]) -> Twister {
        let mut twister = Twister::plain(19_650_218);
        let state = &mut twister.state;
        let (mut i, mut j) = (1, 0);
        for _ in 0..SIZE.max(key.len()) {
            let before = state[i - 1];
            state[i] = (state[i] ^ (before ^ (before >> 30)).wrapping_mul(1_664_525))
                .wrapping_add(key[j])
                .wrapping_add(j as u32);
            i += 1;
            j += 1;
            if i >= SIZE {
                state[0] = state[SIZE - 1];
                i = 1;
            }
            if j >= key.len() {
                j = 0;
            }
        }
        for _ in 0..SIZE - 1 {
            let before = state[i - 1];
            state[i] = (state[i] ^ (before ^ (before >> 30)).wrapping_mul(1_566_083_941))
                .wrapping_sub(i as u32);
            i += 1;
            if i >= SIZE {
                state[0] = state[SIZE - 1];
                i = 1;
            }
        }
        state[0] = 0x8000_0000;
        twister
    }

    fn word(&mut self) -> u32 {
        if self.next >= SIZE {
            for at in 0..SIZE {
                let joined =
                    (self.state[at] & 0x8000_0000) | (self.state[(at + 1) % SIZE] & 0x7fff_ffff);
                let mut made = self.state[(at + MIDDLE) % SIZE] ^ (joined >> 1);
                if joined & 1 == 1 {
                    made ^= 0x9908_b0df;
                }
                self.state[at] = made;
            }
            self.next = 0;
        }
        let mut word = self.state[self.next];
        self.next += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }

    /// Returns so many random bits, at most 64.
    fn bits(&mut self, count: u32) -> u64 {
        if count <= 32 {
            return u64::from(self.word() >> (32 - count.max(1)));
        }
        let low = u64::from(self.word());
        let high = u64::from(self.word() >> (64 - count));
        low | high << 32
    }

    /// Returns a number below another, of any size.
    pub(super) fn below_big(&mut self, end: &BigUint) -> BigUint {
        let count = end.bits();
        loop {
            let mut digits = Vec::new();
            let mut left = count;
            while left > 0 {
                let taken = left.min(32) as u32;
                digits.push(self.word() >> (32 - taken));
                left -= u64::from(taken);
            }
            let number = BigUint::new(digits);
            if number < *end || count == 0 {
                return number;
            }
        }
    }

    /// Returns a number below another.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        let count = 64 - end.leading_zeros();
        loop {
            let number = self.bits(count);
            if number < end || end == 0 {
                return number.min(end.saturating_sub(1));
            }
        }
    }
}

/// Returns `hash()` of a `float`: its value modulo the prime 2**61 - 1.
fn float_hash(number: f64) -> i64 {
    const BITS: i32 = 61;
    const PRIME: u64 = (1 << BITS) - 1;
    const STEP: i32 = 28;
    const INFINITE: i64 = 314_159;
    if !number.is_finite() {
        return if number.is_nan() {
            0
        } else {
            INFINITE * number.signum() as i64
        };
    }
    if number == 0.0 {
        return 0;
    }
    // Takes the number apart: `rest * 2**exponent`, `rest` below one.
    let mut rest = number.abs();
    let mut exponent = 0i32;
    while rest >= 1.0 {
        rest /= 2.0;
        exponent += 1;
    }
    while rest < 0.5 {
        rest *= 2.0;
        exponent -= 1;
    }
    let mut hash = 0u64;
    while rest != 0.0 {
        hash = ((hash << STEP) & PRIME) | hash >> (BITS - STEP);
        rest *= f64::from(1u32 << STEP);
        exponent -= STEP;
        let whole = rest.trunc();
        rest -= whole;
        hash += whole as u64;
        if hash >= PRIME {
            hash -= PRIME;
        }
    }
    let shift = exponent.rem_euclid(BITS);
    hash = ((hash << shift) & PRIME) | hash >> (BITS - shift);
    let hash = hash as i64;
    match if number < 0.0 { -hash } else { hash } {
        -1 => -2,
        hash => hash,
    }
}

/// Text is followed by its SHA-512, and read as one number.
fn of_bytes(bytes: &[u8]) -> BigUint {
    let mut all = bytes.to_vec();
    all.extend_from_slice(&sha2::Sha512::digest(bytes));
    BigInt::from_bytes_be(Sign::Plus, &all).magnitude().clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_pythons() {
        // `random.Random(1).getrandbits(32)` and the two behind it.
        let mut twister = Twister::seeded(&Value::Int(1)).expect("a number");
        let words: Vec<u32> = (0..3).map(|_| twister.word()).collect();
        assert_eq!(words, [577_090_037, 2_444_712_010, 3_639_700_191]);
        let mut twister = Twister::seeded(&Value::str("x")).expect("text");
        assert_eq!(twister.below(5), 2);
        assert!(Twister::seeded(&Value::list(vec![])).is_err());
    }
}
