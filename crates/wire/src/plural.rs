//! The end of words for what is counted.

/// What a word ends with of which there are so many: `1 byte`, `2 bytes`.
pub fn plural<N: Copy + From<u8> + PartialEq>(count: N) -> &'static str {
    if count == N::from(1) { "" } else { "s" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alone_is_one() {
        let check = |count: u64, expect: &str| {
            assert_eq!(format!("{count} byte{}", plural(count)), expect);
        };
        check(0, "0 bytes");
        check(1, "1 byte");
        check(2, "2 bytes");
        check(u64::MAX, "18446744073709551615 bytes");
    }
}
