//! The languages that people are spoken to in.

/// A language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// French.
    Fr,
}

/// The same in each language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    /// In English.
    pub en: &'static str,
    /// In French.
    pub fr: &'static str,
}

impl Lang {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::En, Self::Fr];

    /// What a tag of a language means: `fr`, `fr-CH`, `fr_FR.UTF-8`. `None` for what is not spoken here.
    pub fn read(tag: &str) -> Option<Self> {
        let language = tag.split(['-', '_', '.']).next()?;
        Self::ALL.into_iter().find(|lang| lang.as_str().eq_ignore_ascii_case(language))
    }

    /// What stands between a word and what it is about: apart in French.
    pub fn colon(self) -> &'static str {
        Text { en: ": ", fr: " : " }.of(self)
    }

    /// Its tag.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Fr => "fr",
        }
    }
}

impl Text {
    /// In `lang`.
    pub fn of(self, lang: Lang) -> &'static str {
        match lang {
            Lang::En => self.en,
            Lang::Fr => self.fr,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_known_by_the_begin_of_its_tag() {
        for (tag, expect) in [
            ("fr", Some(Lang::Fr)),
            ("FR-ch", Some(Lang::Fr)),
            ("fr_FR.UTF-8", Some(Lang::Fr)),
            ("en-GB", Some(Lang::En)),
            ("C", None),
            ("fra", None),
            ("", None),
        ] {
            assert_eq!(Lang::read(tag), expect, "{tag:?}");
        }
    }
}
