//! `Cache-Control` by patterns over paths.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt, path::Path};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use http::HeaderValue;

use super::options::OpenError;

#[derive(Debug)]
pub(super) struct CacheRules {
    globs: GlobSet,
    /// One for each glob.
    values: Vec<HeaderValue>,
}

impl CacheRules {
    pub(super) fn of(rules: &[(String, HeaderValue)]) -> Result<Self, OpenError> {
        let mut globs = GlobSetBuilder::new();
        for (glob, _) in rules {
            let bad = |source| OpenError::Glob { glob: glob.clone(), source };
            let anchored = match glob.strip_prefix('/') {
                Some(anchored) => anchored.to_owned(),
                None if glob.contains('/') => glob.clone(),
                None => format!("**/{glob}"),
            };
            let parsed = GlobBuilder::new(&anchored).literal_separator(true).build();
            globs.add(parsed.map_err(bad)?);
        }
        let all = |source| OpenError::Glob { glob: "all patterns together".to_owned(), source };
        let values = rules.iter().map(|(_, value)| value.clone()).collect();
        Ok(Self { globs: globs.build().map_err(all)?, values })
    }

    /// The value for the file at `path`, if there is a rule for it.
    pub(super) fn value(&self, path: &[u8]) -> Option<&HeaderValue> {
        let matching = self.globs.matches(Path::new(OsStr::from_bytes(path)));
        matching.iter().min().map(|&first| &self.values[first])
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
        let error =
            CacheRules::of(&[("a[".to_owned(), HeaderValue::from_static("x"))]).unwrap_err();
        assert_eq!(error.to_string(), "bad pattern \"a[\": expected a glob");
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
