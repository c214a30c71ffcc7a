//! `Cache-Control` by patterns over paths.

use fast_glob::glob_match;
use http::HeaderValue;

use super::options::OpenError;

#[derive(Debug)]
pub(super) struct CacheRules {
    /// Patterns and their values, in the order of the configuration.
    rules: Vec<(String, HeaderValue)>,
}

impl CacheRules {
    pub(super) fn of(rules: &[(String, HeaderValue)]) -> Result<Self, OpenError> {
        let rules = rules.iter().map(|(glob, value)| {
            let wrong = why_wrong(glob);
            if let Some(why) = wrong {
                return Err(OpenError::Glob { glob: glob.clone(), why });
            }
            let anchored = match glob.strip_prefix('/') {
                Some(anchored) => anchored.to_owned(),
                None if glob.contains('/') => glob.clone(),
                None => format!("**/{glob}"),
            };
            Ok((anchored, value.clone()))
        });
        Ok(Self { rules: rules.collect::<Result<_, _>>()? })
    }

    /// The value for the file at `path`, if there is a rule for it.
    pub(super) fn value(&self, path: &[u8]) -> Option<&HeaderValue> {
        let first = self.rules.iter().find(|(glob, _)| glob_match(glob, path));
        first.map(|(_, value)| value)
    }
}

/// What is wrong with a pattern: what matches them takes every one, and has a bad one match nothing.
fn why_wrong(glob: &str) -> Option<&'static str> {
    let (mut braces, mut in_class) = (0_u32, false);
    let mut chars = glob.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' if chars.next().is_none() => return Some("nothing follows its last backslash"),
            ']' => in_class = false,
            '[' => in_class = true,
            '{' if !in_class => braces += 1,
            '}' if !in_class => match braces.checked_sub(1) {
                Some(open) => braces = open,
                None => return Some("a brace is closed that was not opened"),
            },
            _ => (),
        }
    }
    match (in_class, braces) {
        (true, _) => Some("a bracket is not closed"),
        (false, 1..) => Some("a brace is not closed"),
        (false, 0) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_matches_counts() {
        check("a.css", Some("css"));
        check("deep/down/a.css", Some("css"));
        check("assets/a.css", Some("css"));
        check("assets/b.js", Some("assets"));
        check("assets/deep/b.js", Some("assets"));
        check("other/assets/b.js", None);
        check("top.txt", Some("top"));
        check("deep/top.txt", None);
        check("one/x/y", Some("one"));
        check("one/x/y/z", None);
        check("", None);
    }

    #[test]
    fn a_bad_pattern_is_told() {
        let told = |glob: &str, why: &str| {
            let rules = [(glob.to_owned(), HeaderValue::from_static("x"))];
            let error = CacheRules::of(&rules).unwrap_err();
            assert_eq!(error.to_string(), format!("bad pattern {glob:?}: {why}: expected a glob"));
        };
        told("a[", "a bracket is not closed");
        told("a[b{]{c,d", "a brace is not closed");
        told("a}", "a brace is closed that was not opened");
        told("a\\", "nothing follows its last backslash");
    }

    #[test]
    fn classes_and_choices_are_globs_too() {
        let rules = [("*.{css,js}".to_owned(), HeaderValue::from_static("x"))];
        let rules = CacheRules::of(&rules).unwrap();
        assert!(rules.value(b"a/b.js").is_some() && rules.value(b"a/b.ts").is_none());
        let rules = [("/[a-c]?\\*".to_owned(), HeaderValue::from_static("x"))];
        let rules = CacheRules::of(&rules).unwrap();
        assert!(rules.value(b"bx*").is_some() && rules.value(b"dx*").is_none());
    }

    #[track_caller]
    fn check(path: &str, expect: Option<&str>) {
        let rules =
            [("*.css", "css"), ("assets/**", "assets"), ("/top.txt", "top"), ("one/*/*", "one")];
        let rules = rules.map(|(glob, value)| (glob.to_owned(), HeaderValue::from_static(value)));
        let rules = CacheRules::of(&rules).unwrap();
        let got = rules.value(path.as_bytes()).map(|value| value.to_str().unwrap());
        assert_eq!(got, expect, "for {path:?}");
    }
}
