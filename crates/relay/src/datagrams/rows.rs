//! Places in rows: which is first, which is last, and which are beside each other.
//!
//! Every step costs the same however long a row is.

use std::iter::successors;

/// The first and the last place of a row; `None` if there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    ends: Option<(usize, usize)>,
}

/// Which places are beside each other, in rows that have none in common.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    of: Vec<Beside>,
}

/// What is right before and right after a place in its row.
#[derive(Clone, Copy, Debug, Default)]
struct Beside {
    before: Option<usize>,
    after: Option<usize>,
}

impl Row {
    /// The first place.
    pub(super) fn first(self) -> Option<usize> {
        self.ends.map(|(first, _)| first)
    }

    /// The last place.
    pub(super) fn last(self) -> Option<usize> {
        self.ends.map(|(_, last)| last)
    }
}

impl Neighbours {
    /// Has `place`, which is in no row, be the last of `row`.
    pub(super) fn join(&mut self, row: &mut Row, place: usize) {
        if self.of.len() <= place {
            self.of.resize(place + 1, Beside::default());
        }
        let last = row.last();
        self.of[place] = Beside { before: last, after: None };
        if let Some(last) = last {
            self.of[last].after = Some(place);
        }
        row.ends = Some((row.first().unwrap_or(place), place));
    }

    /// Takes `place`, which is in `row`, out of it.
    pub(super) fn leave(&mut self, row: &mut Row, place: usize) {
        let Beside { before, after } = self.of[place];
        if let Some(before) = before {
            self.of[before].after = after;
        }
        if let Some(after) = after {
            self.of[after].before = before;
        }
        row.ends = row.ends.and_then(|(first, last)| {
            let first = if first == place { after? } else { first };
            let last = if last == place { before? } else { last };
            Some((first, last))
        });
    }

    /// The places of `row`, the last first.
    pub(super) fn backwards(&self, row: Row) -> impl Iterator<Item = usize> {
        successors(row.last(), |&place| self.of[place].before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_leaves_from_anywhere_and_joins_at_the_end() {
        let (mut neighbours, mut row, mut other) =
            (Neighbours::default(), Row::default(), Row::default());
        for place in [3, 0, 2, 1] {
            neighbours.join(&mut row, place);
        }
        neighbours.join(&mut other, 4);
        let mut check = |leaves: usize, expect: &[usize]| {
            neighbours.leave(&mut row, leaves);
            assert_eq!(row.first(), expect.last().copied());
            assert_eq!(neighbours.backwards(row).collect::<Vec<_>>(), expect);
        };
        check(0, &[1, 2, 3]);
        check(3, &[1, 2]);
        check(1, &[2]);
        check(2, &[]);
        assert_eq!(row, Row::default());
        neighbours.join(&mut other, 2);
        assert_eq!(neighbours.backwards(other).collect::<Vec<_>>(), [2, 4]);
    }
}
