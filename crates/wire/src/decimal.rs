//! Numbers as protocols print them.

/// A number in decimal digits. Printed without the machinery for formatting, which costs some ten
/// times as much.
#[derive(Clone, Copy, Debug)]
pub struct Decimal {
    /// ASCII digits from `start` on.
    text: [u8; 20],
    start: usize,
}

impl Decimal {
    /// Prints `number`.
    pub fn of(number: impl Into<u64>) -> Self {
        let mut left = number.into();
        let mut text = [0; 20];
        for (start, digit) in text.iter_mut().enumerate().rev() {
            *digit = b'0' + u8::try_from(left % 10).expect("a digit");
            left /= 10;
            if left == 0 {
                return Self { text, start };
            }
        }
        // All of them: no number has more.
        Self { text, start: 0 }
    }

    /// The digits.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text[self.start..]
    }

    /// The digits, as text.
    pub fn as_str(&self) -> &str {
        str::from_utf8(self.as_bytes()).expect("digits are ASCII")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_printed_as_always() {
        for number in [0, 1, 9, 10, 99, 100, 65_535, u64::from(u32::MAX), u64::MAX] {
            let decimal = Decimal::of(number);
            assert_eq!(decimal.as_str(), number.to_string());
            assert_eq!(decimal.as_bytes(), number.to_string().as_bytes());
        }
    }
}
