//! The order in which Python's sets have their items.
//!
//! Filters such as `union` give lists in that order. For text it depends on a secret that each
//! Python process makes anew, so nobody can rely on it; for whole numbers it doesn't, and the same
//! numbers always come in the same order.
//!
//! **Source:** behaviour of `CPython` 3.11's sets: open addressing with ten linear probes.

use super::Value;

const SMALLEST: usize = 8;
const PROBES: usize = 9;
const PERTURB_SHIFT: u32 = 5;

/// A set of whole numbers, in the order of `CPython`.
pub(crate) struct NumberSet {
    table: Vec<Option<i64>>,
    used: usize,
}

impl NumberSet {
    /// Makes a set of values; `None` where one of them isn't a small whole number.
    pub(crate) fn of(values: &[Value]) -> Option<NumberSet> {
        let mut set = NumberSet::empty();
        for value in values {
            set.add(number(value)?);
        }
        Some(set)
    }

    fn empty() -> NumberSet {
        NumberSet {
            table: vec![None; SMALLEST],
            used: 0,
        }
    }

    fn with_size(size: usize) -> NumberSet {
        NumberSet {
            table: vec![None; size],
            used: 0,
        }
    }

    /// Returns the numbers in order.
    pub(crate) fn numbers(&self) -> Vec<i64> {
        self.table.iter().filter_map(|entry| *entry).collect()
    }

    pub(crate) fn contains(&self, number: i64) -> bool {
        self.table[self.place(number)].is_some()
    }

    /// Finds where a number is, or is to be put.
    fn place(&self, number: i64) -> usize {
        let mask = self.table.len() - 1;
        let hash = hash(number);
        let mut perturb = hash;
        let mut at = hash as usize & mask;
        loop {
            let probes = if at + PROBES <= mask { PROBES } else { 0 };
            for entry in at..=at + probes {
                if self.table[entry].is_none_or(|known| known == number) {
                    return entry;
                }
            }
            perturb >>= PERTURB_SHIFT;
            at = at
                .wrapping_mul(5)
                .wrapping_add(1)
                .wrapping_add(perturb as usize)
                & mask;
        }
    }

    /// Puts a number in.
    pub(crate) fn add(&mut self, number: i64) {
        let place = self.place(number);
        if self.table[place].is_some() {
            return;
        }
        self.table[place] = Some(number);
        self.used += 1;
        let mask = self.table.len() - 1;
        if self.used * 5 >= mask * 3 {
            let factor = if self.used > 50_000 { 2 } else { 4 };
            self.resize(self.used * factor);
        }
    }

    fn resize(&mut self, least: usize) {
        let mut size = SMALLEST;
        while size <= least {
            size *= 2;
        }
        let mut larger = NumberSet::with_size(size);
        for number in self.numbers() {
            let place = larger.place(number);
            larger.table[place] = Some(number);
        }
        larger.used = self.used;
        *self = larger;
    }

    /// Takes over all of another set.
    fn merge(&mut self, other: &NumberSet) {
        let mask = self.table.len() - 1;
        if (self.used + other.used) * 5 >= mask * 3 {
            self.resize((self.used + other.used) * 2);
        }
        if self.used == 0 && self.table.len() == other.table.len() {
            self.table.clone_from(&other.table);
            self.used = other.used;
            return;
        }
        for number in other.numbers() {
            let place = self.place(number);
            if self.table[place].is_none() {
                self.table[place] = Some(number);
                self.used += 1;
            }
        }
    }

    fn copy(&self) -> NumberSet {
        let mut copy = NumberSet::empty();
        copy.merge(self);
        copy
    }

    /// `a | b`.
    pub(crate) fn union(&self, other: &NumberSet) -> NumberSet {
        let mut made = self.copy();
        made.merge(other);
        made
    }

    /// `a & b`.
    pub(crate) fn intersection(&self, other: &NumberSet) -> NumberSet {
        let (larger, smaller) = if other.used > self.used {
            (other, self)
        } else {
            (self, other)
        };
        let mut made = NumberSet::empty();
        for number in smaller.numbers() {
            if larger.contains(number) {
                made.add(number);
            }
        }
        made
    }

    /// `a - b`.
    pub(crate) fn difference(&self, other: &NumberSet) -> Vec<i64> {
        let is_small = self.used >> 2 > other.used;
        let all = if is_small {
            self.copy().numbers()
        } else {
            self.numbers()
        };
        let left = all.into_iter().filter(|number| !other.contains(*number));
        if is_small {
            return left.collect();
        }
        let mut made = NumberSet::empty();
        left.for_each(|number| made.add(number));
        made.numbers()
    }

    /// `a ^ b`.
    pub(crate) fn symmetric_difference(&self, other: &NumberSet) -> Vec<i64> {
        let mut made = other.copy();
        let mut gone = Vec::new();
        for number in self.numbers() {
            if made.contains(number) {
                gone.push(number);
            } else {
                made.add(number);
            }
        }
        let left = made.numbers().into_iter();
        left.filter(|number| !gone.contains(number)).collect()
    }
}

fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) if number.unsigned_abs() < 1 << 60 => Some(*number),
        _ => None,
    }
}

/// Python's hash of a whole number: the number itself, but for -1.
fn hash(number: i64) -> u64 {
    (if number == -1 { -2 } else { number }) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(numbers: &[i64]) -> NumberSet {
        let values: Vec<Value> = numbers.iter().map(|number| Value::from(*number)).collect();
        NumberSet::of(&values).expect("numbers")
    }

    #[test]
    fn the_order_is_that_of_python() {
        // What `list(set(a) OPERATOR set(b))` gave in CPython 3.11.
        let (a, b) = (set(&[443, 80]), set(&[22]));
        assert_eq!(a.union(&b).numbers(), vec![80, 443, 22]);
        assert_eq!(a.intersection(&b).numbers(), Vec::<i64>::new());
        assert_eq!(a.difference(&b), vec![80, 443]);
        assert_eq!(a.symmetric_difference(&b), vec![80, 443, 22]);
        let (a, b) = (set(&[3, 1, 2]), set(&[2]));
        assert_eq!(a.union(&b).numbers(), vec![1, 2, 3]);
        assert_eq!(a.intersection(&b).numbers(), vec![2]);
        assert_eq!(a.difference(&b), vec![1, 3]);
        assert_eq!(a.symmetric_difference(&b), vec![1, 3]);
        let (a, b) = (set(&[10, -1, -2, 7]), set(&[0, 31, 7]));
        assert_eq!(a.union(&b).numbers(), vec![0, -2, 7, 10, -1, 31]);
        assert_eq!(a.intersection(&b).numbers(), vec![7]);
        assert_eq!(a.difference(&b), vec![10, -1, -2]);
        assert_eq!(a.symmetric_difference(&b), vec![0, 10, -2, -1, 31]);
        let (a, b) = (set(&[39, -8, 5, 27, -37, 19]), set(&[-9, -34, -20]));
        assert_eq!(
            a.union(&b).numbers(),
            vec![5, -37, 39, -20, 19, -9, -8, 27, -34]
        );
        assert_eq!(a.intersection(&b).numbers(), Vec::<i64>::new());
        assert_eq!(a.difference(&b), vec![5, 39, 27, 19, -8, -37]);
        assert_eq!(
            a.symmetric_difference(&b),
            vec![5, 39, 27, -20, 19, -9, -8, -37, -34]
        );
        let (a, b) = (
            set(&[
                -72, -5, 20, -37, -3, 39, -74, 46, -37, -97, 87, -45, 4, -29, -54, 96, -1, -60, 95,
                -82,
            ]),
            set(&[-65, 58, 58, 13]),
        );
        assert_eq!(
            a.union(&b).numbers(),
            vec![
                4, -60, -54, 13, -45, 20, 87, -37, -97, 95, 96, -29, 39, 46, -82, -74, -72, 58, -5,
                -3, -1, -65
            ]
        );
        assert_eq!(a.intersection(&b).numbers(), Vec::<i64>::new());
        assert_eq!(
            a.difference(&b),
            vec![
                4, -60, -54, -45, 20, 87, -37, -97, 95, 96, -29, 39, 46, -82, -74, -72, -5, -3, -1
            ]
        );
        assert_eq!(
            a.symmetric_difference(&b),
            vec![
                4, 13, 20, -97, 39, 46, -82, -74, -72, 58, -65, -60, -54, -45, 87, -37, 95, 96,
                -29, -5, -3, -1
            ]
        );
        let (a, b) = (
            set(&[-741, -730, -997]),
            set(&[
                51, -60, -34, 39, -33, -39, 51, -39, -23, -20, -35, 9, 52, 26, 20, -34, -37, 60,
                28, -35, 54, -11, -22, -58, -14,
            ]),
        );
        assert_eq!(
            a.union(&b).numbers(),
            vec![
                -60, -58, 9, 20, -39, 26, -997, -741, 28, -37, -35, -34, -33, -730, 39, -23, -22,
                -20, -14, 51, 52, -11, 54, 60
            ]
        );
        assert_eq!(a.intersection(&b).numbers(), Vec::<i64>::new());
        assert_eq!(a.difference(&b), vec![-741, -997, -730]);
        assert_eq!(
            a.symmetric_difference(&b),
            vec![
                -60, -58, 9, 20, -39, 26, -37, 28, -35, -34, -33, -997, -741, -730, 39, -23, -22,
                -20, -14, 51, 52, -11, 54, 60
            ]
        );
    }
}
