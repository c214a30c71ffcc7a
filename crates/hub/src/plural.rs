//! The end of words for what is counted.

/// What a word ends with of which there are so many, in English and in French.
pub(crate) fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}
