//! "Did you mean": the nearest of the names that exist.

/// Returns the candidate that is closest to what was written, if one is close enough to help.
///
/// Distance is Damerau–Levenshtein (adjacent swaps count one); a third of the word may differ.
pub fn closest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let written_chars: Vec<char> = written.chars().collect();
    let limit = (written_chars.len() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| *candidate != written)
        .filter_map(|candidate| {
            let distance = distance_within(limit, &written_chars, candidate)?;
            Some((distance, foreign(written, candidate), candidate))
        })
        .min()
        .map(|(.., candidate)| candidate)
}

/// Counts the letters of the written word that the candidate lacks; breaks ties.
fn foreign(written: &str, candidate: &str) -> usize {
    written.chars().filter(|c| !candidate.contains(*c)).count()
}

/// Returns the distance, unless it is above the limit, which is found out early.
fn distance_within(limit: usize, a: &[char], b: &str) -> Option<usize> {
    let length = b.chars().count();
    if length.abs_diff(a.len()) > limit {
        return None;
    }
    let b: Vec<char> = b.chars().collect();
    let mut before = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(x != y))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                let swap: &Vec<usize> = &before;
                best = best.min(swap[j - 1] + 1);
            }
            row.push(best);
        }
        // A swap reaches two rows back, so that both have to be beyond it.
        let is_beyond = |row: &[usize]| row.iter().all(|steps| *steps > limit);
        if is_beyond(&row) && is_beyond(&last) {
            return None;
        }
        before = std::mem::replace(&mut last, row);
    }
    Some(last[b.len()]).filter(|distance| *distance <= limit)
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn a_swap_of_neighbours_is_one_step() {
        assert_eq!(closest("taks", ["tasks", "tags", "hosts"]), Some("tasks"));
        assert_eq!(closest("whne", ["when", "with_items"]), Some("when"));
    }

    #[test]
    fn a_word_that_is_far_from_all_gets_no_suggestion() {
        assert_eq!(closest("frobnicate", ["copy", "file"]), None);
    }
}
