//! Ranges in host names: `node[1:3]`, `node[01:10:2]`, `[a:c]`.

use crate::diag::{Error, Kind, Result};

/// Unfolds the ranges of a host name, leftmost slowest.
///
/// # Errors
/// A range without an end, with unlike ends, or that runs backwards.
pub(super) fn expand(name: &str) -> Result<Vec<String>> {
    let Some(open) = name.find('[') else {
        return Ok(vec![name.to_owned()]);
    };
    let wrong = |why: &str| {
        Err(Error::new(
            Kind::Inventory,
            format!("host range `{name}`: {why}"),
        ))
    };
    let Some(length) = name[open..].find(']') else {
        return wrong("the bracket is not closed");
    };
    let (head, inside, tail) = (
        &name[..open],
        &name[open + 1..open + length],
        &name[open + length + 1..],
    );
    let parts: Vec<&str> = inside.split(':').collect();
    let (begin, end, step) = match parts[..] {
        [begin, end] => (begin, end, "1"),
        [begin, end, step] => (begin, end, step),
        _ => return wrong("a range is `[begin:end]` or `[begin:end:step]`"),
    };
    let begin = if begin.is_empty() { "0" } else { begin };
    if end.is_empty() {
        return wrong("host range must specify end value");
    }
    let Ok(step) = step.parse::<usize>() else {
        return wrong("the step is no number");
    };
    if step == 0 {
        return wrong("the step is zero");
    }
    let rest = expand(tail)?;
    let middles: Vec<String> = match (begin.parse::<u64>(), end.parse::<u64>()) {
        (Ok(from), Ok(to)) => {
            if begin.len() > 1 && begin.starts_with('0') && begin.len() != end.len() {
                return wrong("host range must specify equal-length begin and end formats");
            }
            let width = if begin.starts_with('0') {
                begin.len()
            } else {
                0
            };
            if from > to {
                return wrong("host range must have begin <= end");
            }
            if (to - from) / step as u64 > 1_000_000 {
                return wrong("more than a million hosts");
            }
            (from..=to)
                .step_by(step)
                .map(|n| format!("{n:0width$}"))
                .collect()
        }
        _ => match (letter(begin), letter(end)) {
            (Some(from), Some(to)) if from <= to => {
                (from..=to).step_by(step).map(|c| c.to_string()).collect()
            }
            (Some(_), Some(_)) => return wrong("host range must have begin <= end"),
            _ => return wrong("the ends are neither numbers nor letters"),
        },
    };
    Ok(middles
        .iter()
        .flat_map(|middle| rest.iter().map(move |tail| format!("{head}{middle}{tail}")))
        .collect())
}

fn letter(text: &str) -> Option<char> {
    let mut chars = text.chars();
    let first = chars.next()?;
    (chars.next().is_none() && first.is_ascii_alphabetic()).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn ranges_unfold_with_padding_steps_and_letters() {
        for (name, hosts) in [
            ("node[1:3]", "node1 node2 node3"),
            ("n[08:10].x", "n08.x n09.x n10.x"),
            ("[a:c]", "a b c"),
            ("n[0:6:3]", "n0 n3 n6"),
            ("r[1:2]c[a:b]", "r1ca r1cb r2ca r2cb"),
            ("n[:1]", "n0 n1"),
        ] {
            assert_eq!(expand(name).expect("a range").join(" "), hosts);
        }
        for wrong in ["n[3:1]", "n[1:", "n[1:]", "n[01:100]", "n[a:3]"] {
            assert!(expand(wrong).is_err(), "{wrong}");
        }
    }
}
