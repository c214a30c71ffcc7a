//! One of the forms a file is sent in: as it is, or coded. With its head prebuilt.

use std::{ffi::CString, fmt::Write, sync::Arc, time::SystemTime};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue,
    header::{
        ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG,
        LAST_MODIFIED, VARY, X_CONTENT_TYPE_OPTIONS,
    },
};
use relais_cache::StoredBody;
use relais_wire::{accept::Coding, date::print_http_date, etag::EntityTag};
use sha2::{Digest, Sha256};

use super::{conditional::Validators, found::Way, looked::Looked, media::Media, stamp::time_of};
use crate::{ReadyHead, Stamp, date_line::print_date};

/// A form a file is sent in.
#[derive(Debug)]
pub(super) struct Variant {
    /// The head of a 200.
    pub head: HeaderMap,
    /// The same as lines of HTTP/1.
    lines: Vec<u8>,
    /// The head of a 304.
    pub brief: HeaderMap,
    pub tag: Tag,
    /// A whole second, not in the future.
    pub modified: Option<SystemTime>,
    pub len: u64,
    pub kept: Kept,
    /// The file it comes from, if that is not the asked one.
    pub sidecar: Option<Sidecar>,
    /// When it, and the file it is a form of, were last seen to be what is on disk.
    pub looked: Looked,
}

/// Where a variant's bytes are.
#[derive(Clone, Debug)]
pub(super) enum Kept {
    /// In memory that we took for it.
    Memory(StoredBody),
    /// A part of this program.
    Static(Bytes),
    /// In a file that is opened, or lent for a while: [`Resource::lent`](super::resource::Resource::lent).
    Disk,
}

/// A file beside the asked one, with the same contents, coded.
#[derive(Clone, Debug)]
pub(super) struct Sidecar {
    pub at: CString,
    pub stamp: Stamp,
    pub way: Way,
}

/// What the variants of a file have in common.
#[derive(Clone, Debug)]
pub(super) struct Traits {
    pub media: Media,
    pub cache_control: Option<HeaderValue>,
    pub varies: Varies,
}

/// Whether the answer depends on `Accept-Encoding`, now or some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Varies {
    ByCoding,
    Never,
}

/// What a variant is made of.
#[derive(Debug)]
pub(super) struct Form {
    pub coding: Coding,
    pub tag: Tag,
    pub len: u64,
    pub kept: Kept,
    pub sidecar: Option<Sidecar>,
}

/// An entity tag that is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    weak: bool,
    opaque: String,
}

impl Variant {
    /// A form of a file that was `modified` then, as seen at `now`.
    pub(super) fn of(form: Form, traits: &Traits, modified: (i64, i64), now: SystemTime) -> Self {
        let Form { coding, tag, len, kept, sidecar } = form;
        let modified = time_of((modified.0, 0));
        // RFC 9110 §8.8.2.1: never later than now. And one of 1970 tells nothing but a lack.
        let modified = Some(modified).filter(|&at| at <= now && at > SystemTime::UNIX_EPOCH);
        let brief = brief(&tag, traits);
        let mut head = HeaderMap::with_capacity(12);
        head.insert(CONTENT_TYPE, traits.media.value());
        head.insert(CONTENT_LENGTH, HeaderValue::from(len));
        head.extend(brief.clone());
        head.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if let Some(modified) = modified {
            let date = HeaderValue::from_bytes(print_http_date(modified).as_bytes());
            head.insert(LAST_MODIFIED, date.expect("a date is ASCII"));
        }
        if coding != Coding::Identity {
            head.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.as_str()));
        }
        let lines = lines(&head);
        let looked = Looked::default();
        Self { head, lines, brief, tag, modified, len, kept, sidecar, looked }
    }

    pub(super) fn validators(&self) -> Validators<'_> {
        let tag = EntityTag { weak: self.tag.weak, opaque: self.tag.opaque.as_bytes() };
        Validators { tag, modified: self.modified }
    }

    /// How much memory it takes, in bytes.
    pub(super) fn weight(&self) -> u64 {
        const HEADS: u64 = 1024;
        match &self.kept {
            Kept::Memory(body) => HEADS + body.bytes().len() as u64,
            Kept::Static(_) | Kept::Disk => HEADS,
        }
    }
}

fn lines(head: &HeaderMap) -> Vec<u8> {
    let mut lines = Vec::new();
    for (name, value) in head {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            lines.extend_from_slice(part);
        }
    }
    lines
}

/// The head of a 200 with the variant, ready to be sent.
#[derive(Debug)]
pub(super) struct VariantHead(pub Arc<Variant>);

impl ReadyHead for VariantHead {
    fn print(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.lines);
        print_date(out);
    }

    /// Without a date, which who needs a map adds by itself.
    fn fields(&self) -> HeaderMap {
        self.0.head.clone()
    }

    fn media_type(&self) -> Option<HeaderValue> {
        self.0.head.get(CONTENT_TYPE).cloned()
    }
}

fn brief(tag: &Tag, traits: &Traits) -> HeaderMap {
    let mut head = HeaderMap::with_capacity(6);
    head.insert(ETAG, tag.value());
    head.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(value) = &traits.cache_control {
        head.insert(CACHE_CONTROL, value.clone());
    }
    if traits.varies == Varies::ByCoding {
        head.insert(VARY, HeaderValue::from_static("accept-encoding"));
    }
    head
}

impl Tag {
    /// The tag of these bytes: their SHA-256, cut to 128 bits.
    ///
    /// A tag of what is sent, and not of what it was coded from, stays strong when another version
    /// of an encoder makes other bytes of the same file. SHA-256, because it is here already, and
    /// reading a file costs more.
    pub(super) fn of_bytes(bytes: &[u8], coding: Coding) -> Self {
        Self::of_digest(Sha256::digest(bytes).as_slice(), coding)
    }

    /// The tag of a file in a state. Its inode can't be told from it: nanoseconds that nobody is
    /// told go in, too.
    pub(super) fn of_stamp(stamp: &Stamp, coding: Coding) -> Self {
        let Stamp { identity, len, modified, changed } = *stamp;
        let mut digest = Sha256::new();
        for part in [identity.0, identity.1, len] {
            digest.update(part.to_le_bytes());
        }
        for part in [modified.0, modified.1, changed.0, changed.1] {
            digest.update(part.to_le_bytes());
        }
        Self::of_digest(digest.finalize().as_slice(), coding)
    }

    fn of_digest(digest: &[u8], coding: Coding) -> Self {
        let mut opaque = URL_SAFE_NO_PAD.encode(&digest[..16]);
        if coding != Coding::Identity {
            write!(opaque, "-{}", coding.as_str()).expect("a string takes everything");
        }
        Self { weak: false, opaque }
    }

    /// The tag as one that promises less: the file may have changed without it.
    pub(super) fn weakened(self) -> Self {
        Self { weak: true, ..self }
    }

    /// What stands between the quotes: letters, digits, `-` and `_`.
    pub(super) fn opaque(&self) -> &str {
        &self.opaque
    }

    fn value(&self) -> HeaderValue {
        let weak = if self.weak { "W/" } else { "" };
        HeaderValue::try_from(format!("{weak}\"{}\"", self.opaque)).expect("a tag is ASCII")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Stamp = Stamp { identity: (1, 2), len: 3, modified: (4, 5), changed: (6, 7) };

    #[test]
    fn tags_tell_bytes_and_codings_apart() {
        let tag = |bytes, coding| Tag::of_bytes(bytes, coding).opaque;
        assert_eq!(tag(b"a", Coding::Identity), "ypeBEsobvcr6wjGzmiPcTQ");
        assert_eq!(tag(b"a", Coding::Br), "ypeBEsobvcr6wjGzmiPcTQ-br");
        assert_ne!(tag(b"a", Coding::Br), tag(b"b", Coding::Br));
    }

    #[test]
    fn tags_tell_states_apart() {
        let tag = |stamp: Stamp| Tag::of_stamp(&stamp, Coding::Identity);
        let others = [
            Stamp { identity: (0, 2), ..STAMP },
            Stamp { identity: (1, 0), ..STAMP },
            Stamp { len: 0, ..STAMP },
            Stamp { modified: (4, 0), ..STAMP },
            Stamp { changed: (6, 0), ..STAMP },
        ];
        for other in others {
            assert_ne!(tag(STAMP), tag(other), "{other:?}");
        }
        assert_eq!(tag(STAMP), tag(STAMP));
    }

    #[test]
    fn a_date_in_the_future_is_not_told() {
        let traits =
            Traits { media: Media::of(b"a.txt"), cache_control: None, varies: Varies::Never };
        let head = |modified| {
            let tag = Tag::of_stamp(&STAMP, Coding::Identity).weakened();
            let form =
                Form { coding: Coding::Identity, tag, len: 3, kept: Kept::Disk, sidecar: None };
            Variant::of(form, &traits, modified, time_of((1000, 0))).head
        };
        assert_eq!(head((1000, 5))[LAST_MODIFIED], "Thu, 01 Jan 1970 00:16:40 GMT");
        assert!(!head((1001, 0)).contains_key(LAST_MODIFIED));
        assert!(head((1001, 0))[ETAG].to_str().unwrap().starts_with("W/\""));
    }
}
