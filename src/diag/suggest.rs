//! "Did you mean": the nearest of the names that exist.

/// Returns the candidate that is closest to what was written, if one is close enough to help.
///
/// Distance is Damerau–Levenshtein (adjacent swaps count one); a third of the word may differ.
pub fn closest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let limit = (written.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| *candidate != written)
        .map(|candidate| {
            (
                distance(written, candidate),
                foreign(written, candidate),
                candidate,
            )
        })
        .filter(|(distance, ..)| *distance <= limit)
        .min()
        .map(|(.., candidate)| candidate)
}

/// Counts the letters of the written word that the candidate lacks; breaks ties.
fn foreign(written: &str, candidate: &str) -> usize {
    written.chars().filter(|c| !candidate.contains(*c)).count()
}

fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
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
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
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
