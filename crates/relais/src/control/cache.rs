//! What is asked of the caches of a relais that runs.

use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use relais_cache::{Pattern, Purge, Tag, Url};
use serde::{Deserialize, Serialize};

use crate::complaint::Wrong;

/// Something that is asked of the caches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CacheRequest {
    /// Of which proxy's; `None` for all, or the only one.
    pub(crate) proxy: Option<String>,
    /// What.
    pub(crate) of: OfCaches,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum OfCaches {
    /// What is stored of this, one after the other.
    List {
        /// Of what.
        what: Chosen,
    },
    /// All that is known of what is stored for a URL.
    Show {
        /// The URL.
        url: String,
    },
    /// How much there is.
    Stats {},
    /// Whether what is on disk is what was stored.
    Verify {},
    /// This is to be taken out, or to be stale.
    Purge {
        /// What.
        what: Chosen,
        /// How.
        how: Hardness,
    },
    /// Why a request is answered as it is.
    Explain {
        /// Which.
        request: AskedFor,
        /// Whether the upstream may be asked.
        fetches: Fetches,
    },
    /// A request is to be answered, so that the answer is stored.
    Fetch {
        /// Which.
        request: AskedFor,
    },
}

impl OfCaches {
    /// The URL that it is about, or what begins as one, if it is about one.
    pub(crate) fn url(&self) -> Option<&str> {
        match self {
            Self::Show { url } => Some(url),
            Self::Explain { request, .. } | Self::Fetch { request } => Some(&request.url),
            Self::List { what } | Self::Purge { what, .. } => match what {
                Chosen::Url(url)
                | Chosen::Prefix(url)
                | Chosen::Glob(url)
                | Chosen::Group { url, .. } => Some(url),
                Chosen::All | Chosen::Tag(_) => None,
            },
            Self::Stats {} | Self::Verify {} => None,
        }
    }
}

/// A request with GET.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskedFor {
    /// A whole URL.
    pub(crate) url: String,
    /// Fields: `Name: value` each.
    pub(crate) fields: Vec<String>,
}

/// What is chosen of what is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Chosen {
    /// Everything.
    All,
    /// What is stored for a URL.
    Url(String),
    /// What is stored for URLs that begin so.
    Prefix(String),
    /// What is stored for URLs that look so.
    Glob(String),
    /// What is tagged so.
    Tag(String),
    /// What is of a group of an origin.
    Group {
        /// A URL of the origin.
        url: String,
        /// The group.
        name: String,
    },
}

/// How something is purged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Hardness {
    /// It is gone.
    Hard,
    /// It is stale.
    Soft,
}

/// Whether the upstream may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fetches {
    /// Once, if nothing is stored.
    Once,
    /// It may not.
    Never,
}

impl Chosen {
    /// What is meant.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(crate) fn pattern(&self) -> Result<Pattern, Wrong> {
        let wrong = |error: relais_cache::BadPattern| Wrong::from_error(&error);
        Ok(match self {
            Self::All => Pattern::All,
            Self::Url(url) => Pattern::Url(url.parse().map_err(wrong)?),
            Self::Prefix(prefix) => Pattern::Prefix(prefix.parse().map_err(wrong)?),
            Self::Glob(glob) => Pattern::Glob(glob.parse().map_err(wrong)?),
            Self::Tag(name) => Pattern::Tag(Tag::named(a_tag(name)?)),
            Self::Group { url, name } => {
                let url: Url = url.parse().map_err(wrong)?;
                Pattern::Tag(Tag::group(url.key().origin(), a_tag(name)?))
            }
        })
    }
}

fn a_tag(name: &str) -> Result<&str, Wrong> {
    if name.is_empty() {
        Err(Wrong::expected("an empty tag", "a name, e.g. \"news\""))
    } else {
        Ok(name)
    }
}

impl Hardness {
    pub(crate) fn purge(self) -> Purge {
        match self {
            Self::Hard => Purge::Hard,
            Self::Soft => Purge::Soft,
        }
    }
}

/// Fields that say how a request is sent: that is for us to say.
const OURS: [HeaderName; 5] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::HOST,
    header::TRANSFER_ENCODING,
    header::EXPECT,
];

impl AskedFor {
    /// The URL and the fields.
    ///
    /// # Errors
    ///
    /// What is wrong with them.
    pub(crate) fn read(&self) -> Result<(Uri, HeaderMap), Wrong> {
        let Self { url, fields } = self;
        let bad = |error: relais_cache::BadPattern| Wrong::from_error(&error);
        url.parse::<Url>().map_err(bad)?;
        let uri = url.parse().map_err(|error| Wrong::from_error(&error))?;
        Ok((uri, read_fields(fields)?))
    }
}

/// Fields of a request: `Name: value` each.
///
/// # Errors
///
/// What is wrong with the first that is none.
pub(crate) fn read_fields(fields: &[String]) -> Result<HeaderMap, Wrong> {
    let mut headers = HeaderMap::new();
    for field in fields {
        let (name, value) = read_field(field)?;
        headers.append(name, value);
    }
    Ok(headers)
}

fn read_field(field: &str) -> Result<(HeaderName, HeaderValue), Wrong> {
    let bad = || Wrong::expected(format!("bad field {field:?}"), "\"Name: value\"");
    let (name, value) = field.split_once(':').ok_or_else(bad)?;
    let name: HeaderName = name.trim().parse().map_err(|_| bad())?;
    let value = HeaderValue::from_str(value.trim()).map_err(|_| bad())?;
    if OURS.contains(&name) {
        let what = format!("{:?} is not for you to say", name.as_str());
        return Err(Wrong::expected(what, "a field that is not about how the request is sent"));
    }
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_pattern_says_what_was_expected() {
        check(&Chosen::Url("a".to_owned()), "bad URL \"a\"");
        check(&Chosen::Prefix(String::new()), "an empty pattern");
        check(&Chosen::Glob("*".repeat(5000)), "a pattern of 5000 bytes");
        check(&Chosen::Tag(String::new()), "an empty tag");
        check(&Chosen::Group { url: "a".to_owned(), name: "g".to_owned() }, "bad URL \"a\"");
    }

    #[track_caller]
    fn check(chosen: &Chosen, expect: &str) {
        assert_eq!(chosen.pattern().unwrap_err().what, expect);
    }

    #[test]
    fn fields_are_those_of_a_request() {
        let read = |field: &str| {
            let fields = vec![field.to_owned()];
            let asked = AskedFor { url: "http://a/".to_owned(), fields };
            asked.read().map(|(_, headers)| format!("{headers:?}")).map_err(|wrong| wrong.what)
        };
        assert_eq!(read("Accept:  a/b ").unwrap(), "{\"accept\": \"a/b\"}");
        assert_eq!(read("Accept").unwrap_err(), "bad field \"Accept\"");
        assert_eq!(read("A b: c").unwrap_err(), "bad field \"A b: c\"");
        assert_eq!(read("a: b\r\nc: d").unwrap_err(), "bad field \"a: b\\r\\nc: d\"");
        assert_eq!(read("HOST: b").unwrap_err(), "\"host\" is not for you to say");
    }
}
