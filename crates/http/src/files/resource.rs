//! What is known of one file, and which of its forms a reader gets.

use std::{
    ffi::CString,
    sync::{Arc, Weak},
    time::SystemTime,
};

use http::{HeaderMap, header::ACCEPT_ENCODING};
use relais_wire::accept::{Coding, codings};

use super::{
    found::Way,
    variant::{Traits, Variant, Varies},
};
use crate::{OpenFile, Stamp, joined::joined};

/// The codings that there are, the one we would rather send first.
pub(super) const CODINGS: [Coding; 3] = [Coding::Zstd, Coding::Br, Coding::Gzip];

/// A file and its forms, as of `known_at`.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    /// Below the root.
    pub at: CString,
    pub stamp: Stamp,
    pub way: Way,
    pub known_at: SystemTime,
    pub traits: Traits,
    pub identity: Arc<Variant>,
    /// In the order of [`CODINGS`], like `packed`.
    pub sidecars: [Option<Arc<Variant>>; 3],
    pub packed: [Packed; 3],
    /// The file, as long as it stays open.
    pub lent: Weak<OpenFile>,
}

/// What is known of a file coded by ourselves.
#[derive(Clone, Debug)]
pub(super) enum Packed {
    /// It would be too big, too small, or not smaller; or the file is not settled.
    Never,
    Untried,
    Ready(Arc<Variant>),
}

/// Which forms are on offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offer {
    /// Those that still have to be made, too.
    All,
    /// Those that are there.
    Ready,
}

/// Which form a reader gets.
#[derive(Debug)]
pub(super) enum Choice<'a> {
    Have(&'a Arc<Variant>),
    /// One that still has to be made.
    Pack(Coding),
    /// None that would be accepted.
    Nothing,
}

impl Resource {
    /// Chooses by the weights in `Accept-Encoding`; of equals a sidecar, then what we code, in the
    /// order of [`CODINGS`], then the file as it is.
    pub(super) fn choose(&self, headers: &HeaderMap, offer: Offer) -> Choice<'_> {
        let Some(accepted) = joined(headers, ACCEPT_ENCODING) else {
            return Choice::Have(&self.identity);
        };
        let accepted = codings(Some(&accepted));
        let (mut best, mut best_quality) = (Choice::Nothing, 0);
        let mut consider = |coding, choice| {
            if accepted.quality(coding) > best_quality {
                (best, best_quality) = (choice, accepted.quality(coding));
            }
        };
        if self.traits.varies == Varies::ByCoding {
            for (coding, sidecar) in CODINGS.into_iter().zip(&self.sidecars) {
                if let Some(variant) = sidecar {
                    consider(coding, Choice::Have(variant));
                }
            }
            for (coding, packed) in CODINGS.into_iter().zip(&self.packed) {
                match packed {
                    Packed::Ready(variant) => consider(coding, Choice::Have(variant)),
                    Packed::Untried if offer == Offer::All => {
                        consider(coding, Choice::Pack(coding));
                    }
                    Packed::Never | Packed::Untried => (),
                }
            }
        }
        consider(Coding::Identity, Choice::Have(&self.identity));
        best
    }

    /// The same, with a coded form that was made.
    pub(super) fn with_packed(&self, coding: Coding, variant: Arc<Variant>) -> Self {
        let mut packed = self.packed.clone();
        if let Some(at) = CODINGS.iter().position(|&known| known == coding) {
            packed[at] = Packed::Ready(variant);
        }
        Self { packed, ..self.clone() }
    }

    /// The same, after a coding made nothing smaller of it.
    pub(super) fn without_packing(&self) -> Self {
        Self { packed: [const { Packed::Never }; 3], ..self.clone() }
    }

    /// How much memory it takes, in bytes.
    pub(super) fn weight(&self) -> u64 {
        let packed = self.packed.iter().filter_map(|packed| match packed {
            Packed::Ready(variant) => Some(variant),
            Packed::Never | Packed::Untried => None,
        });
        let coded = packed.chain(self.sidecars.iter().flatten());
        self.identity.weight() + coded.map(|variant| variant.weight()).sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderValue;

    use super::{
        super::{
            media::Media,
            variant::{Form, Kept, Tag},
        },
        *,
    };

    const STAMP: Stamp = Stamp { identity: (0, 0), len: 0, modified: (0, 0), changed: (0, 0) };

    #[test]
    fn the_most_welcome_form_is_chosen() {
        let resource = resource(&[], &[]);
        check(&resource, None, "identity");
        check(&resource, Some(""), "identity");
        check(&resource, Some("deflate"), "identity");
        check(&resource, Some("gzip, br, zstd"), "pack zstd");
        check(&resource, Some("gzip, br"), "pack br");
        check(&resource, Some("gzip;q=1, br;q=0.9"), "pack gzip");
        check(&resource, Some("gzip;q=0.5, identity"), "identity");
        check(&resource, Some("*"), "pack zstd");
        check(&resource, Some("*;q=0"), "nothing");
        check(&resource, Some("identity;q=0, gzip"), "pack gzip");
    }

    #[test]
    fn of_equals_a_sidecar_is_chosen() {
        let resource = resource(&[Coding::Gzip], &[Coding::Br]);
        check(&resource, Some("gzip, br, zstd"), "sidecar gzip");
        check(&resource, Some("gzip;q=0.5, br, zstd;q=0.9"), "packed br");
        check(&resource, Some("gzip;q=0.5, zstd"), "pack zstd");
    }

    #[test]
    fn values_that_come_in_parts_are_one() {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT_ENCODING, HeaderValue::from_static("gzip;q=0.5"));
        headers.append(ACCEPT_ENCODING, HeaderValue::from_static("br"));
        assert!(matches!(
            resource(&[], &[]).choose(&headers, Offer::All),
            Choice::Pack(Coding::Br)
        ));
    }

    #[track_caller]
    fn check(resource: &Resource, accept: Option<&'static str>, expect: &str) {
        let mut headers = HeaderMap::new();
        if let Some(accept) = accept {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(accept));
        }
        let got = match resource.choose(&headers, Offer::All) {
            Choice::Have(variant) => variant.tag.opaque().to_owned(),
            Choice::Pack(coding) => format!("pack {}", coding.as_str()),
            Choice::Nothing => "nothing".to_owned(),
        };
        let bytes = |text: &str| Tag::of_bytes(text.as_bytes(), Coding::Identity);
        let expect_tag = bytes(expect);
        assert!(got == expect || got == expect_tag.opaque(), "{accept:?}: {got}");
    }

    fn resource(sidecars: &[Coding], packed: &[Coding]) -> Resource {
        let variant = |name: String| {
            let tag = Tag::of_bytes(name.as_bytes(), Coding::Identity);
            let form =
                Form { coding: Coding::Identity, tag, len: 0, kept: Kept::Disk, sidecar: None };
            Arc::new(Variant::of(form, &traits(), (0, 0), SystemTime::UNIX_EPOCH))
        };
        let sidecar = |coding: Coding| {
            sidecars.contains(&coding).then(|| variant(format!("sidecar {}", coding.as_str())))
        };
        let packed = |coding: Coding| {
            let ready = packed.contains(&coding);
            let name = format!("packed {}", coding.as_str());
            if ready { Packed::Ready(variant(name)) } else { Packed::Untried }
        };
        Resource {
            at: CString::default(),
            stamp: STAMP,
            way: Way::Straight,
            known_at: SystemTime::UNIX_EPOCH + Duration::from_secs(1),
            traits: traits(),
            identity: variant("identity".to_owned()),
            sidecars: CODINGS.map(sidecar),
            packed: CODINGS.map(packed),
            lent: Weak::new(),
        }
    }

    fn traits() -> Traits {
        Traits { media: Media::of(b"a.txt"), cache_control: None, varies: Varies::ByCoding }
    }
}
