//! Which numbers were heard, so that nothing is heard twice.

/// How far behind the highest a number may come.
pub(crate) const WINDOW: u64 = 1024;

/// Which of the last numbers were heard.
///
/// The place of a number is `number % WINDOW`; of each place the number is known, as no other of the
/// last [`WINDOW`] has it.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    /// The highest that was heard; 0, which is no number, at first.
    highest: u64,
    heard: [u64; PARTS],
}

const PARTS: usize = 16;

const _: () = assert!(PARTS as u64 * u64::BITS as u64 == WINDOW, "a bit for each place");

impl Default for Window {
    fn default() -> Self {
        Self { highest: 0, heard: [0; PARTS] }
    }
}

impl Window {
    /// Whether `number` was not heard before, as far as is known: what is too old may have been.
    pub(crate) fn is_new(&self, number: u64) -> bool {
        if number > self.highest {
            return true;
        }
        let (part, bit) = place(number);
        number != 0 && self.highest - number < WINDOW && self.heard[part] & bit == 0
    }

    /// Notes that `number`, which [is new](Self::is_new), was heard.
    ///
    /// *Cost*: of the places between it and the highest, at most [`WINDOW`].
    pub(crate) fn note(&mut self, number: u64) {
        if number > self.highest {
            let skipped = (number - self.highest).min(WINDOW);
            for number in number - skipped + 1..=number {
                let (part, bit) = place(number);
                self.heard[part] &= !bit;
            }
            self.highest = number;
        }
        let (part, bit) = place(number);
        self.heard[part] |= bit;
    }
}

fn place(number: u64) -> (usize, u64) {
    let place = number % WINDOW;
    let part = usize::try_from(place / u64::from(u64::BITS)).expect("less than 16");
    (part, 1 << (place % u64::from(u64::BITS)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(numbers: &[u64], expect: &[bool]) {
        let mut window = Window::default();
        let heard = numbers.iter().map(|number| {
            let is_new = window.is_new(*number);
            if is_new {
                window.note(*number);
            }
            is_new
        });
        assert_eq!(heard.collect::<Vec<_>>(), expect, "{numbers:?}");
    }

    #[test]
    fn each_number_is_heard_once_and_none_that_is_too_old() {
        check(&[1, 1, 2, 2], &[true, false, true, false]);
        check(&[0, 3, 2, 1, 2], &[false, true, true, true, false]);
        check(&[1025, 2, 1, 2], &[true, true, false, false]);
        check(&[5, 1029, 5, 6], &[true, true, false, true]);
        check(&[u64::MAX, u64::MAX, u64::MAX - 1023, 1], &[true, false, true, false]);
    }

    proptest! {
        #[test]
        fn it_knows_as_much_as_who_remembers_all(numbers in prop::collection::vec(0_u64..5000, 0..200)) {
            let (mut window, mut heard) = (Window::default(), BTreeSet::new());
            for number in numbers {
                let highest = heard.last().copied().unwrap_or(0);
                let is_old = highest >= number + WINDOW;
                let expect = number != 0 && !is_old && !heard.contains(&number);
                prop_assert_eq!(window.is_new(number), expect);
                if expect {
                    window.note(number);
                    heard.insert(number);
                }
            }
        }
    }
}
