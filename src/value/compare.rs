//! Equality and order, as Python has them.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_traits::{FromPrimitive, ToPrimitive};

use super::{MAX_DEPTH, Value};
use crate::diag::{Error, Result};

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        equal(self, other, 0)
    }
}

fn equal(a: &Value, b: &Value, depth: usize) -> bool {
    if depth > MAX_DEPTH {
        return false;
    }
    match (a, b) {
        (Value::Str(a), Value::Str(b)) => a == b,
        (Value::None, Value::None) => true,
        (Value::Bytes(a), Value::Bytes(b)) => a == b,
        (Value::List(a), Value::List(b)) => a.is(b) || equal_all(&a.borrow(), &b.borrow(), depth),
        (Value::Tuple(a), Value::Tuple(b)) => equal_all(a, b, depth),
        (Value::Dict(a), Value::Dict(b)) => {
            a.is(b) || {
                let (a, b) = (a.borrow(), b.borrow());
                a.len() == b.len()
                    && a.iter()
                        .all(|(k, v)| b.get(k).is_some_and(|w| equal(v, w, depth + 1)))
            }
        }
        (Value::Set(a), Value::Set(b)) => {
            a.is(b) || {
                let (a, b) = (a.borrow(), b.borrow());
                a.len() == b.len() && a.iter().all(|k| b.contains(k))
            }
        }
        (Value::Range(..), Value::Range(..)) => match (a.items(), b.items()) {
            (Ok(a), Ok(b)) if a.len() == b.len() => {
                let (mut a, mut b) = (a, b);

                a.len() < 2 || a.nth(1) == b.nth(1)
            }
            _ => false,
        },
        (Value::Object(a), Value::Object(b)) => a.equals(b.as_ref()),
        (Value::Object(a), b) | (b, Value::Object(a)) => a
            .as_mapping()
            .is_some_and(|dict| equal(&Value::Dict(dict), b, depth + 1)),
        (Value::Undefined(a), Value::Undefined(b)) => {
            let lenient = a.is_lenient() && a.kind() == b.kind();
            lenient || std::rc::Rc::ptr_eq(a, b) || a.name == b.name
        }
        _ => number_order(a, b) == Some(Ordering::Equal),
    }
}

fn equal_all(a: &[Value], b: &[Value], depth: usize) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b, depth + 1))
}

/// Orders numbers exactly, whatever their types; `None` for a NaN or something that is no number.
fn number_order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
        (Value::Float(a), b) => order_float(*a, &integer(b)?),
        (a, Value::Float(b)) => order_float(*b, &integer(a)?).map(Ordering::reverse),
        (a, b) => Some(integer(a)?.cmp(&integer(b)?)),
    }
}

fn order_float(a: f64, b: &BigInt) -> Option<Ordering> {
    if a.is_nan() {
        return None;
    }
    if a.is_infinite() {
        return Some(if a > 0.0 {
            Ordering::Greater
        } else {
            Ordering::Less
        });
    }
    let whole = BigInt::from_f64(a.trunc())?;
    Some(whole.cmp(b).then(a.fract().partial_cmp(&0.0)?))
}

fn integer(value: &Value) -> Option<BigInt> {
    match value {
        Value::Bool(b) => Some(BigInt::from(u8::from(*b))),
        Value::Int(i) => Some(BigInt::from(*i)),
        Value::Big(big) => Some(big.as_ref().clone()),
        _ => None,
    }
}

impl Value {
    /// Returns the number as a float, where it is one.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Float(f) => Some(*f),
            Value::Int(i) => Some(*i as f64),
            Value::Bool(b) => Some(f64::from(u8::from(*b))),
            Value::Big(big) => big.to_f64(),
            _ => None,
        }
    }

    /// Orders two values as `<` does; `None` where a NaN makes every comparison false.
    ///
    /// # Errors
    /// Python's `TypeError` between unlike types, worded for the operator given.
    pub fn order(&self, other: &Value, operator: &str) -> Result<Option<Ordering>> {
        self.order_within(other, operator, 0)
    }

    fn order_within(
        &self,
        other: &Value,
        operator: &str,
        depth: usize,
    ) -> Result<Option<Ordering>> {
        let sequences = |a: &[Value], b: &[Value]| -> Result<Option<Ordering>> {
            for (x, y) in a.iter().zip(b) {
                if !equal(x, y, depth + 1) {
                    return x.order_within(y, operator, depth + 1);
                }
            }
            Ok(Some(a.len().cmp(&b.len())))
        };
        if depth > MAX_DEPTH {
            return Err(Error::new(
                crate::diag::Kind::Recursion,
                "maximum recursion depth exceeded in comparison",
            ));
        }
        match (self, other) {
            (Value::Undefined(undefined), _) | (_, Value::Undefined(undefined)) => {
                Err(undefined.error())
            }
            (Value::Str(a), Value::Str(b)) => Ok(Some(a.as_str().cmp(b.as_str()))),
            (Value::Bytes(a), Value::Bytes(b)) => Ok(Some(a.cmp(b))),
            (Value::List(a), Value::List(b)) => sequences(&a.to_vec(), &b.to_vec()),
            (Value::Tuple(a), Value::Tuple(b)) => sequences(a, b),
            (Value::Set(a), Value::Set(b)) => {
                let (a, b) = (a.borrow(), b.borrow());
                let within = a.iter().all(|k| b.contains(k));
                let contains = b.iter().all(|k| a.contains(k));
                Ok(match (within, contains) {
                    (true, true) => Some(Ordering::Equal),
                    (true, false) => Some(Ordering::Less),
                    (false, true) => Some(Ordering::Greater),
                    (false, false) => None,
                })
            }
            (Value::Object(a), Value::Object(b)) => match a.compare(b.as_ref()) {
                Some(order) => Ok(Some(order)),
                None => Err(self.no_order(other, operator)),
            },
            (a, b) if a.is_number() && b.is_number() => Ok(number_order(a, b)),
            _ => Err(self.no_order(other, operator)),
        }
    }

    /// Says whether the value is an `int`, a `float` or a `bool`.
    pub fn is_number(&self) -> bool {
        matches!(
            self,
            Value::Bool(_) | Value::Int(_) | Value::Big(_) | Value::Float(_)
        )
    }

    fn no_order(&self, other: &Value, operator: &str) -> Error {
        Error::type_error(format!(
            "'{operator}' not supported between instances of '{}' and '{}'",
            self.type_name(),
            other.type_name()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_exactly_across_types() {
        assert!(Value::from(1) == Value::from(true));
        assert!(Value::from(1) == Value::from(1.0));
        assert!(Value::Int(9_007_199_254_740_993) != Value::Float(9_007_199_254_740_992.0));
        let less = Value::from(1)
            .order(&Value::from(1.5), "<")
            .expect("numbers");
        assert_eq!(less, Some(Ordering::Less));
    }

    #[test]
    fn unlike_types_are_unequal_and_have_no_order() {
        assert!(Value::from("1") != Value::from(1));
        assert!(Value::None != Value::from(false));
        let error = Value::from("a")
            .order(&Value::from(1), "<")
            .expect_err("no order");
        assert_eq!(
            error.message(),
            "'<' not supported between instances of 'str' and 'int'"
        );
    }

    #[test]
    fn empty_ranges_are_equal() {
        assert!(Value::Range(0, 0, 1) == Value::Range(5, 5, 2));
        assert!(Value::Range(0, 3, 2) == Value::Range(0, 4, 2));
        assert!(Value::Range(0, 3, 1) != Value::Range(1, 4, 1));
    }
}
