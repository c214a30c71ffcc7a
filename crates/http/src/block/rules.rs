//! The rules of a block list, and what they say of a request.

use std::{
    cell::Cell,
    fmt,
    num::NonZeroU64,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use relais_wire::decimal::Decimal;

use super::{
    fold::{Seen, fold_from},
    host::spelled,
    looks::{is_plain, looks},
    names::Names,
    reader::{self, BadList, Caps, Place, Read},
    urls::Urls,
};
use crate::Target;

/// What is blocked: hosts, and words and globs in URLs.
///
/// Text of one rule a line; see the guide on blocking for their forms. Rules for hosts are matched
/// with the host that is asked for, in every spelling that resolvers know; the others with the URL
/// as an upstream may read it: decoded once or twice, its path as it is or resolved, without regard
/// to case, a plus like a space and a backslash like a slash. A URL is `scheme://host/path?query`;
/// with a port that is not the usual one, it is that with the port and without.
///
/// *Cost*: in memory the list's text, 12 bytes a rule, some 20 for each host, and some 100 for each
/// word and glob.
pub struct Rules {
    /// The list, and behind it the names that it spells in another way than they are looked up.
    text: Box<str>,
    places: Vec<Place>,
    names: Names,
    urls: Urls,
    number: NonZeroU64,
}

/// A rule that blocks something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule<'a> {
    /// As it stands in the list, without spaces around it and without its comment.
    pub text: &'a str,
    /// Where it stands. The first line is 1.
    pub line: u32,
}

impl Rules {
    /// Reads a list: UTF-8, one rule a line.
    ///
    /// Blocks: 100,000 rules take some 0.1 s, and millions a few.
    ///
    /// # Errors
    ///
    /// [`BadList`]: the first line that is no rule, or goes beyond a limit.
    pub fn parse(list: Vec<u8>) -> Result<Self, BadList> {
        /// Of the rules that are read next.
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let Read { text, places, names, urls } = reader::read(list, &Caps::default())?;
        let number = NonZeroU64::new(NEXT.fetch_add(1, Relaxed)).unwrap_or(NonZeroU64::MAX);
        Ok(Self { names: Names::new(names, text.as_bytes()), text, places, urls, number })
    }

    /// A number that no other rules in this process have.
    pub(super) fn number(&self) -> NonZeroU64 {
        self.number
    }

    /// How many there are. One line may name many hosts.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// A rule that blocks `target`, if there is one.
    ///
    /// *Cost*: for plain URLs a hash for some labels of the host and, where there are words or globs, 1 to
    /// 2 ns for each byte; some forty times that at most for others. With 100,000 mixed rules that is
    /// 0.1 µs for a short URL, and 0.2 µs for one of 117 bytes.
    pub fn judge(&self, target: &Target<'_>) -> Option<Rule<'_>> {
        thread_local! {
            /// Where URLs are folded.
            static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
        }
        let mut url = SCRATCH.take();
        let number = self.find(target, &mut url);
        SCRATCH.set(url);
        let number = number?;
        let place = self.places.get(widen(number))?;
        let start = widen(place.start);
        let text = &self.text[start..start + usize::from(place.len)];
        Some(Rule { text, line: place.line })
    }

    /// The number of a rule that blocks `target`. `url` is where its URL is put together.
    fn find(&self, target: &Target<'_>, url: &mut Vec<u8>) -> Option<u32> {
        url.clear();
        url.extend_from_slice(target.scheme.as_bytes());
        url.make_ascii_lowercase();
        url.extend_from_slice(b"://");
        let host = url.len();
        url.extend_from_slice(spelled(target.host).as_bytes());
        let path = url.len();
        url.extend_from_slice(target.path_and_query.as_bytes());
        // Folding makes no name another but by its capitals.
        let seen = fold_from(host, url);
        let blocked = self.names.find(&url[host..path], self.text.as_bytes());
        if blocked.is_some() || self.urls.is_empty() {
            return blocked;
        }
        self.find_url(target, (path, seen), url).or_else(|| {
            // Who asks picks the port that a server behind may not care for.
            let port = Decimal::of(target.unusual_port()?);
            url.truncate(path);
            url.push(b':');
            url.extend_from_slice(port.as_bytes());
            let path = url.len();
            url.extend_from_slice(target.path_and_query.as_bytes());
            let seen = fold_from(path, url);
            self.find_url(target, (path, seen), url)
        })
    }

    /// The number of a rule that blocks `url`, whose path begins there and was seen so.
    fn find_url(
        &self,
        target: &Target<'_>,
        (path, seen): (usize, Seen),
        url: &mut Vec<u8>,
    ) -> Option<u32> {
        let is_path = target.path_and_query.starts_with('/');
        if is_path && seen == Seen::Plain || is_plain(target.path_and_query) {
            return self.urls.find(url);
        }
        looks(target.path_and_query).iter().find_map(|look| {
            url.truncate(path);
            url.extend_from_slice(look);
            self.urls.find(url)
        })
    }

    /// How much memory they take, in bytes.
    pub fn memory(&self) -> usize {
        let places = size_of_val(&*self.places);
        self.text.len() + places + self.names.memory() + self.urls.memory()
    }
}

impl fmt::Debug for Rules {
    /// Says how many.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules").field("len", &self.len()).finish_non_exhaustive()
    }
}

fn widen(number: u32) -> usize {
    usize::try_from(number).expect("a place in memory")
}

#[cfg(test)]
mod tests;
