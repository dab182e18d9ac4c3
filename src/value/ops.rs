//! Arithmetic and containment, with Python's rules and messages.

use num_bigint::{BigInt, BigUint};
use num_integer::Integer;
use num_traits::{FromPrimitive, Signed, ToPrimitive, Zero};

use super::{Dict, Key, Set, Str, Value};
use crate::diag::{Error, Kind, Result};

/// The longest string or list that repetition may make, in bytes or items.
pub const MAX_REPEATED: usize = 64 << 20;
/// The most bits that a power may have.
const MAX_POWER_BITS: u64 = 1 << 20;

/// Refuses results beyond [`MAX_REPEATED`], before memory is asked for.
///
/// # Errors
/// That the result would be too large.
pub fn fits(size: usize) -> Result<()> {
    if size > MAX_REPEATED {
        return Err(Error::new(
            Kind::Arithmetic,
            format!("the result has more than {MAX_REPEATED} items"),
        ));
    }
    Ok(())
}

/// The arithmetic operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `//`
    FloorDiv,
    /// `%`
    Mod,
    /// `**`
    Pow,
}

impl Operator {
    /// Returns how it is written in messages.
    fn text(self) -> &'static str {
        match self {
            Operator::Add => "+",
            Operator::Sub => "-",
            Operator::Mul => "*",
            Operator::Div => "/",
            Operator::FloorDiv => "//",
            Operator::Mod => "%",
            Operator::Pow => "** or pow()",
        }
    }
}

enum Num {
    Int(BigInt),
    Float(f64),
}

fn number(value: &Value) -> Option<Num> {
    Some(match value {
        Value::Bool(b) => Num::Int(BigInt::from(u8::from(*b))),
        Value::Int(i) => Num::Int(BigInt::from(*i)),
        Value::Big(big) => Num::Int(big.as_ref().clone()),
        Value::Float(f) => Num::Float(*f),
        _ => return None,
    })
}

/// Says that a number and a list that makes its items when they are read can't be added, in the
/// words of Ansible 2.19, whose lists take the sum for their own.
pub fn no_lazy_sum(left: &Value, right: &Value) -> Option<Error> {
    let is_number = matches!(left, Value::Int(_) | Value::Float(_) | Value::Bool(_));
    (is_number && matches!(right, Value::List(_)))
        .then(|| Error::type_error("'NotImplementedType' object is not iterable"))
}

/// Applies an operator to two values.
///
/// # Errors
/// Python's `TypeError`, `ZeroDivisionError`, `OverflowError`; results beyond [`MAX_REPEATED`].
pub fn apply(operator: Operator, a: &Value, b: &Value) -> Result<Value> {
    if let (Value::Int(x), Value::Int(y)) = (a, b) {
        let fast = match operator {
            Operator::Add => x.checked_add(*y),
            Operator::Sub => x.checked_sub(*y),
            Operator::Mul => x.checked_mul(*y),
            // Python rounds down, so that the remainder has the sign of the divisor.
            Operator::FloorDiv | Operator::Mod if *y != 0 => {
                match (x.checked_div(*y), x.checked_rem(*y)) {
                    (Some(quotient), Some(rest)) => {
                        let is_below = rest != 0 && (rest < 0) != (*y < 0);
                        Some(match operator {
                            Operator::Mod => rest + if is_below { *y } else { 0 },
                            _ => quotient - i64::from(is_below),
                        })
                    }
                    _ => None,
                }
            }
            _ => None,
        };
        if let Some(result) = fast {
            return Ok(Value::Int(result));
        }
    }
    for value in [a, b] {
        if let Value::Undefined(undefined) = value {
            return Err(undefined.error());
        }
    }
    if let (Operator::Mod, Value::Str(format)) = (operator, a) {
        return super::format::percent(format, b);
    }
    if let (Some(x), Some(y)) = (number(a), number(b)) {
        return numbers(operator, x, y);
    }
    match (operator, a, b) {
        (Operator::Add, Value::Str(x), Value::Str(y)) => {
            fits(x.as_str().len() + y.as_str().len())?;
            let markup = x.is_markup() || y.is_markup();
            let part = |s: &Str| {
                if markup && !s.is_markup() {
                    super::escape_html(s)
                } else {
                    s.to_string()
                }
            };
            Ok(Value::Str(Str::new(part(x) + &part(y)).with_markup(markup)))
        }
        (Operator::Add, Value::List(x), Value::List(y)) => {
            fits((x.len() + y.len()).saturating_mul(4))?;
            let mut all = x.to_vec();
            all.extend(y.to_vec());
            Ok(Value::list(all))
        }
        (Operator::Add, Value::Tuple(x), Value::Tuple(y)) => {
            Ok(Value::tuple(x.iter().chain(y.iter()).cloned().collect()))
        }
        (Operator::Add, Value::Bytes(x), Value::Bytes(y)) => {
            Ok(Value::Bytes(x.iter().chain(y.iter()).copied().collect()))
        }
        (Operator::Mul, seq, count) | (Operator::Mul, count, seq)
            if count.as_i64().is_some()
                && matches!(
                    seq,
                    Value::Str(_) | Value::List(_) | Value::Tuple(_) | Value::Bytes(_)
                ) =>
        {
            repeat(seq, count.as_i64().unwrap_or(0))
        }
        (Operator::Mul, seq, other) | (Operator::Mul, other, seq)
            if matches!(
                seq,
                Value::Str(_) | Value::List(_) | Value::Tuple(_) | Value::Bytes(_)
            ) && !matches!(other, Value::Object(_)) =>
        {
            Err(Error::type_error(format!(
                "can't multiply sequence by non-int of type '{}'",
                other.type_name()
            )))
        }
        (Operator::Sub, Value::Set(x), Value::Set(y)) => {
            let y = y.borrow();
            Ok(Value::Set(
                x.to_vec()
                    .into_iter()
                    .filter(|key| !y.contains(key))
                    .collect::<Set>(),
            ))
        }
        (Operator::Add, Value::Str(_), other) => Err(Error::type_error(format!(
            "can only concatenate str (not \"{}\") to str",
            other.type_name()
        ))),
        (Operator::Add, Value::List(_), other) => Err(Error::type_error(format!(
            "can only concatenate list (not \"{}\") to list",
            other.type_name()
        ))),
        (Operator::Add, Value::Tuple(_), other) => Err(Error::type_error(format!(
            "can only concatenate tuple (not \"{}\") to tuple",
            other.type_name()
        ))),
        _ => match (a, b) {
            (Value::Object(x), y) if operator != Operator::Mod => {
                match x.arithmetic(operator, y, false) {
                    Some(result) => result,
                    None => Err(unsupported(operator, a, b)),
                }
            }
            (x, Value::Object(y)) if operator != Operator::Mod => {
                match y.arithmetic(operator, x, true) {
                    Some(result) => result,
                    None => Err(unsupported(operator, a, b)),
                }
            }
            _ => Err(unsupported(operator, a, b)),
        },
    }
}

fn unsupported(operator: Operator, a: &Value, b: &Value) -> Error {
    Error::type_error(format!(
        "unsupported operand type(s) for {}: '{}' and '{}'",
        operator.text(),
        a.type_name(),
        b.type_name()
    ))
}

fn repeat(seq: &Value, count: i64) -> Result<Value> {
    let count = count.max(0) as usize;
    let size = match seq {
        Value::Str(text) => text.as_str().len(),
        other => other.len().unwrap_or(0),
    };
    let most = if matches!(seq, Value::Str(_) | Value::Bytes(_)) {
        MAX_REPEATED
    } else {
        MAX_REPEATED / 4
    };
    if size.saturating_mul(count) > most {
        return Err(Error::new(
            Kind::Arithmetic,
            format!("repetition makes more than {most} items"),
        ));
    }
    Ok(match seq {
        Value::Str(text) => Value::Str(Str::new(text.repeat(count)).with_markup(text.is_markup())),
        Value::List(list) => Value::list(
            std::iter::repeat_n(list.to_vec(), count)
                .flatten()
                .collect(),
        ),
        Value::Tuple(items) => Value::tuple(
            std::iter::repeat_n(items.to_vec(), count)
                .flatten()
                .collect(),
        ),
        Value::Bytes(bytes) => Value::Bytes(bytes.repeat(count).into()),
        _ => Value::None,
    })
}

fn zero_division(text: &str) -> Error {
    Error::new(Kind::Arithmetic, text)
}

fn float(number: &Num) -> Result<f64> {
    match number {
        Num::Float(f) => Ok(*f),
        Num::Int(i) => i
            .to_f64()
            .filter(|f| f.is_finite())
            .ok_or_else(|| Error::new(Kind::Arithmetic, "int too large to convert to float")),
    }
}

fn numbers(operator: Operator, a: Num, b: Num) -> Result<Value> {
    if let (Num::Int(x), Num::Int(y)) = (&a, &b) {
        return integers(operator, x, y);
    }
    let (x, y) = (float(&a)?, float(&b)?);
    Ok(Value::Float(match operator {
        Operator::Add => x + y,
        Operator::Sub => x - y,
        Operator::Mul => x * y,
        Operator::Div if y == 0.0 => return Err(zero_division("float division by zero")),
        Operator::Div => x / y,
        Operator::FloorDiv if y == 0.0 => {
            return Err(zero_division("float floor division by zero"));
        }
        Operator::FloorDiv => float_div_mod(x, y).0,
        Operator::Mod if y == 0.0 => return Err(zero_division("float modulo")),
        Operator::Mod => float_div_mod(x, y).1,
        Operator::Pow => {
            if x == 0.0 && y < 0.0 {
                return Err(zero_division("0.0 cannot be raised to a negative power"));
            }
            if x < 0.0 && x.is_finite() && y.is_finite() && y.fract() != 0.0 {
                return Err(Error::new(
                    Kind::Arithmetic,
                    "a negative number to a fractional power is complex, which is not supported",
                ));
            }
            let power = x.powf(y);
            if power.is_infinite() && x.is_finite() && y.is_finite() {
                return Err(Error::new(
                    Kind::Arithmetic,
                    "(34, 'Numerical result out of range')",
                ));
            }
            power
        }
    }))
}

/// Divides floats: the quotient, rounded down, and the remainder, with the sign of the divisor.
///
/// **Source:** Python's `divmod`, as documented.
fn float_div_mod(x: f64, y: f64) -> (f64, f64) {
    let mut rest = x % y;
    let mut quotient = (x - rest) / y;
    if rest == 0.0 {
        rest = 0f64.copysign(y);
    } else if (rest < 0.0) != (y < 0.0) {
        rest += y;
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return (0f64.copysign(x / y), rest);
    }
    let floor = quotient.floor();
    let is_above = quotient - floor > 0.5;
    (if is_above { floor + 1.0 } else { floor }, rest)
}

/// Divides integers of any size; the result is the float that is nearest to the exact quotient.
fn quotient(x: &BigInt, y: &BigInt) -> Result<f64> {
    const EXACT: u64 = 53;
    if x.bits() <= EXACT && y.bits() <= EXACT {
        let (a, b) = (Num::Int(x.clone()), Num::Int(y.clone()));
        return Ok(float(&a)? / float(&b)?);
    }
    // Enough bits that what is cut off can only matter as being there at all.
    let shift = (y.bits() + EXACT + 13).saturating_sub(x.bits());
    let (whole, rest) = (x.magnitude() << shift).div_rem(y.magnitude());
    let sticky = whole | BigUint::from(u8::from(!rest.is_zero()));
    let scaled = sticky.to_f64().unwrap_or(f64::INFINITY);
    let half = i32::try_from(shift / 2).unwrap_or(i32::MAX);
    let other = i32::try_from(shift - shift / 2).unwrap_or(i32::MAX);
    let made = scaled * 2f64.powi(-half) * 2f64.powi(-other);
    if made.is_infinite() {
        return Err(Error::new(
            Kind::Arithmetic,
            "integer division result too large for a float",
        ));
    }
    let is_negative = (x.is_negative()) != (y.is_negative());
    Ok(if is_negative { -made } else { made })
}

fn integers(operator: Operator, x: &BigInt, y: &BigInt) -> Result<Value> {
    Ok(Value::from_big(match operator {
        Operator::Add => x + y,
        Operator::Sub => x - y,
        Operator::Mul => {
            if x.bits() + y.bits() > MAX_POWER_BITS {
                return Err(Error::new(
                    Kind::Arithmetic,
                    "the product has too many digits",
                ));
            }
            x * y
        }
        Operator::Div => {
            if y.is_zero() {
                return Err(zero_division("division by zero"));
            }
            return quotient(x, y).map(Value::Float);
        }
        Operator::FloorDiv => {
            if y.is_zero() {
                return Err(zero_division("integer division or modulo by zero"));
            }
            x.div_floor(y)
        }
        Operator::Mod => {
            if y.is_zero() {
                return Err(zero_division("integer modulo by zero"));
            }
            x.mod_floor(y)
        }
        Operator::Pow => {
            if y.is_negative() {
                let (a, b) = (float(&Num::Int(x.clone()))?, float(&Num::Int(y.clone()))?);
                if a == 0.0 {
                    return Err(zero_division("0.0 cannot be raised to a negative power"));
                }
                return Ok(Value::Float(a.powf(b)));
            }
            let exponent = y
                .to_u32()
                .filter(|e| u64::from(*e).saturating_mul(x.bits()) <= MAX_POWER_BITS);
            match exponent {
                Some(exponent) => x.pow(exponent),
                None if x.bits() <= 1 => {
                    // Only -1, 0 and 1 stay small.
                    if x.is_negative() && y.is_even() {
                        BigInt::from(1)
                    } else {
                        x.clone()
                    }
                }
                None => {
                    return Err(Error::new(
                        Kind::Arithmetic,
                        "the power has too many digits",
                    ));
                }
            }
        }
    }))
}

/// Returns `-value`.
///
/// # Errors
/// `bad operand type for unary -`.
pub fn negate(value: &Value) -> Result<Value> {
    match value {
        Value::Float(f) => Ok(Value::Float(-f)),
        Value::Undefined(undefined) => Err(undefined.error()),
        other => match number(other) {
            Some(Num::Int(i)) => Ok(Value::from_big(-i)),
            _ => Err(Error::type_error(format!(
                "bad operand type for unary -: '{}'",
                other.type_name()
            ))),
        },
    }
}

/// Says whether `item in container`.
///
/// # Errors
/// Python's `TypeError` where the container is none.
pub fn contains(container: &Value, item: &Value) -> Result<bool> {
    if let Value::Undefined(undefined) = container {
        return if undefined.is_lenient() {
            Ok(false)
        } else {
            Err(undefined.error())
        };
    }
    if let Value::Undefined(undefined) = item {
        return Err(undefined.error());
    }
    Ok(match container {
        Value::Str(text) => match item {
            Value::Str(part) => text.contains(part.as_str()),
            other => {
                return Err(Error::type_error(format!(
                    "'in <string>' requires string as left operand, not {}",
                    other.type_name()
                )));
            }
        },
        Value::Dict(dict) => dict.borrow().contains_key(&Key::new(item.clone())?),
        Value::Set(set) => set.contains(&Key::new(item.clone())?),
        Value::List(list) => list.borrow().iter().any(|one| one == item),
        Value::Tuple(items) => items.iter().any(|one| one == item),
        Value::Range(..) => container.items()?.any(|one| one == *item),
        Value::Bytes(bytes) => item
            .as_i64()
            .is_some_and(|i| bytes.iter().any(|b| i64::from(*b) == i)),
        Value::Object(object) => match object.contains(item) {
            Some(is_in) => is_in,
            None => return Err(not_iterable(container)),
        },
        _ => return Err(not_iterable(container)),
    })
}

fn not_iterable(value: &Value) -> Error {
    Error::type_error(format!(
        "argument of type '{}' is not iterable",
        value.type_name()
    ))
}

/// Converts to an integer as `int(value)` does; text may have blanks, a sign, underscores.
pub fn to_integer(value: &Value, base: u32) -> Option<Value> {
    match value {
        Value::Bool(_) | Value::Int(_) | Value::Big(_) => Some(match value {
            Value::Bool(b) => Value::Int(i64::from(*b)),
            other => other.clone(),
        }),
        Value::Float(f) => BigInt::from_f64(f.trunc()).map(Value::from_big),
        Value::Str(text) => {
            let text = text.trim();
            let (negative, digits) = match text.as_bytes().first()? {
                b'-' => (true, &text[1..]),
                b'+' => (false, &text[1..]),
                _ => (false, text),
            };
            let lower = digits.to_ascii_lowercase();
            let digits = match base {
                16 => lower.strip_prefix("0x").unwrap_or(&lower),
                8 => lower.strip_prefix("0o").unwrap_or(&lower),
                2 => lower.strip_prefix("0b").unwrap_or(&lower),
                _ => &lower,
            };
            if digits.is_empty()
                || digits.starts_with('_')
                || digits.ends_with('_')
                || digits.contains("__")
            {
                return None;
            }
            let number = BigInt::parse_bytes(digits.replace('_', "").as_bytes(), base)?;
            Some(Value::from_big(if negative { -number } else { number }))
        }
        _ => None,
    }
}

/// Copies a dict's items into another; later ones win.
pub fn update(into: &Dict, from: &Dict) {
    for (key, value) in from.to_vec() {
        into.set_key(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(i: i64) -> Value {
        Value::Int(i)
    }

    #[test]
    fn division_and_modulo_round_down() {
        assert_eq!(
            apply(Operator::FloorDiv, &int(-7), &int(2))
                .expect("int")
                .repr(),
            "-4"
        );
        assert_eq!(
            apply(Operator::Mod, &int(-7), &int(2)).expect("int").repr(),
            "1"
        );
        assert_eq!(
            apply(Operator::Div, &int(4), &int(2))
                .expect("float")
                .repr(),
            "2.0"
        );
        assert_eq!(
            apply(Operator::Mod, &Value::Float(-1.5), &int(1))
                .expect("float")
                .repr(),
            "0.5"
        );
    }

    #[test]
    fn integers_grow_without_overflow_and_powers_are_bounded() {
        let big = apply(Operator::Pow, &int(2), &int(70)).expect("big");
        assert_eq!(big.repr(), "1180591620717411303424");
        assert!(apply(Operator::Pow, &int(10), &int(1_000_000_000)).is_err());
        assert!(apply(Operator::Mul, &Value::str("x"), &int(1_000_000_000_000)).is_err());
        assert_eq!(
            apply(Operator::Pow, &int(2), &int(-1))
                .expect("float")
                .repr(),
            "0.5"
        );
    }

    #[test]
    fn unlike_types_fail_in_pythons_words() {
        let error = apply(Operator::Add, &Value::str("a"), &int(1)).expect_err("types");
        assert_eq!(
            error.message(),
            "can only concatenate str (not \"int\") to str"
        );
        let error = apply(Operator::Sub, &Value::str("a"), &int(1)).expect_err("types");
        assert_eq!(
            error.message(),
            "unsupported operand type(s) for -: 'str' and 'int'"
        );
    }
}
