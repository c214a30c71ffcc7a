//! Learning what there is to know of a file: its forms, and what is kept of it in memory.

use std::{
    ffi::CString,
    sync::{Arc, Weak},
    time::SystemTime,
};

use bytes::Bytes;
use relais_cache::StoredBody;
use relais_wire::accept::Coding;

use super::{
    Files,
    found::{Held, Source, Way},
    hot::KeyRef,
    media::{Gain, Media},
    options::Compress,
    refusal::Refusal,
    resource::{CODINGS, Packed, Resource},
    stamp::is_settled,
    variant::{Form, Kept, Sidecar, Tag, Traits, Variant, Varies},
};

/// How often a file that changes while it is read is read again.
const TRIES: usize = 4;

/// Up to which size a file's tag is of its bytes, in bytes: beyond, that takes longer than reading it.
const DIGESTED_BYTES_MAX: u64 = 64 << 10;

impl Files {
    /// What is known of the file at `at`, which is open as `source`; learned anew if it changed, or
    /// after a while. `source` becomes what was read, if the file changed meanwhile.
    pub(super) fn resource(
        &self,
        at: &[u8],
        source: &mut Source,
        now: SystemTime,
    ) -> Result<Arc<Resource>, Refusal> {
        let key = KeyRef { path: at, directory: false };
        let known = self.hot.find(key).filter(|known| known.stamp == source.stamp);
        if let Some(known) = &known
            && self.is_recent(known, now)
        {
            return Ok(Arc::clone(known));
        }
        let resource = Arc::new(self.learn(at, source, known, now)?);
        self.keep(key, &resource);
        Ok(resource)
    }

    /// Keeps `resource` in memory, if what is known of it would tell a later change.
    pub(super) fn keep(&self, key: KeyRef<'_>, resource: &Arc<Resource>) {
        let sidecars = resource.sidecars.iter().flatten();
        let mut stamps = sidecars.filter_map(|variant| Some(&variant.sidecar.as_ref()?.stamp));
        let settled = |stamp| is_settled(stamp, resource.known_at);
        if settled(&resource.stamp) && stamps.all(settled) {
            self.hot.keep(key, Arc::clone(resource));
        } else {
            self.hot.forget(key);
        }
    }

    pub(super) fn is_recent(&self, known: &Resource, now: SystemTime) -> bool {
        // A clock that was set back makes it old, too.
        now.duration_since(known.known_at).is_ok_and(|age| age < self.limits.renew_after)
    }

    fn learn(
        &self,
        at: &[u8],
        source: &mut Source,
        known: Option<Arc<Resource>>,
        now: SystemTime,
    ) -> Result<Resource, Refusal> {
        let traits = self.traits(at);
        // A date that was in the future may be past now.
        let known = known.filter(|known| known.identity.modified.is_some());
        let identity = match &known {
            Some(known) if !self.may_find_room(&known.identity) => Arc::clone(&known.identity),
            _ => Arc::new(self.identity(at, source, &traits, now)?),
        };
        let packed = match known {
            Some(known) if known.stamp == source.stamp => known.packed.clone(),
            _ if self.may_pack(&traits, source, now) => [const { Packed::Untried }; 3],
            _ => [const { Packed::Never }; 3],
        };
        let sidecars = CODINGS.map(|coding| self.sidecar(at, source, (coding, &traits), now));
        let (stamp, way) = (source.stamp, source.way);
        let at = CString::new(at).map_err(|_| Refusal::Missing)?;
        let lent = match (&identity.kept, &mut source.held) {
            (Kept::Disk, Held::Open(file)) => {
                *file = self.places.place(file);
                Arc::downgrade(file)
            }
            _ => Weak::new(),
        };
        Ok(Resource { at, stamp, way, known_at: now, traits, identity, sidecars, packed, lent })
    }

    /// Whether `variant` would be kept in memory, had there been room for it.
    fn may_find_room(&self, variant: &Variant) -> bool {
        matches!(variant.kept, Kept::Disk) && variant.len <= self.limits.hot_file_bytes_max
    }

    fn traits(&self, at: &[u8]) -> Traits {
        let media = Media::of(at);
        let is_coded = media.gain == Gain::Much && self.compress != Compress::Off;
        let varies = if is_coded { Varies::ByCoding } else { Varies::Never };
        Traits { media, cache_control: self.cache_rules.value(at).cloned(), varies }
    }

    fn may_pack(&self, traits: &Traits, source: &Source, now: SystemTime) -> bool {
        let limits = &self.limits;
        let sizes = limits.compress_bytes_min..=limits.compress_bytes_max;
        // Results are kept by the file's stamp, so it has to be one to rely on.
        self.packer.is_some()
            && traits.varies == Varies::ByCoding
            && sizes.contains(&source.stamp.len)
            && is_settled(&source.stamp, now)
    }

    fn identity(
        &self,
        at: &[u8],
        source: &mut Source,
        traits: &Traits,
        now: SystemTime,
    ) -> Result<Variant, Refusal> {
        let coding = Coding::Identity;
        let (kept, tag) = self.read_small(at, source, coding, now)?;
        let form = Form { coding, tag, len: source.stamp.len, kept, sidecar: None };
        Ok(Variant::of(form, traits, source.stamp.modified, now))
    }

    /// The file beside the one at `at` that holds it coded, unless that is older.
    fn sidecar(
        &self,
        at: &[u8],
        source: &Source,
        (coding, traits): (Coding, &Traits),
        now: SystemTime,
    ) -> Option<Arc<Variant>> {
        if traits.varies == Varies::Never {
            return None;
        }
        let ending = match coding {
            Coding::Zstd => &b".zst"[..],
            Coding::Br => b".br",
            Coding::Gzip => b".gz",
            Coding::Identity => return None,
        };
        let at = [at, ending].concat();
        let mut beside = self.tree.open_file(&at, now).ok()?;
        if beside.stamp.modified < source.stamp.modified {
            return None;
        }
        let (kept, tag) = self.read_small(&at, &mut beside, coding, now).ok()?;
        let stamp = beside.stamp;
        let sidecar = Some(Sidecar { at: CString::new(at).ok()?, stamp, way: beside.way });
        let form = Form { coding, tag, len: stamp.len, kept, sidecar };
        Some(Arc::new(Variant::of(form, traits, stamp.modified, now)))
    }

    /// Reads a file that is small enough, and keeps it if there is room for it. One that changes
    /// meanwhile is opened and read anew, so that what is read is one state of it and not parts of
    /// two.
    ///
    /// Gives its tag, too, which is the same whether there was room or not.
    pub(super) fn read_small(
        &self,
        at: &[u8],
        source: &mut Source,
        coding: Coding,
        now: SystemTime,
    ) -> Result<(Kept, Tag), Refusal> {
        for _ in 0..TRIES {
            if let Held::Static(bytes) = source.held {
                let tag = Tag::of_bytes(bytes, coding);
                return Ok((Kept::Static(Bytes::from_static(bytes)), tag));
            }
            let len = source.stamp.len;
            let is_small = len <= self.limits.hot_file_bytes_max;
            let room = if is_small { self.room.take(len) } else { None };
            // Without room it is read to be digested, and forgotten.
            if room.is_none() && !(is_small && len <= DIGESTED_BYTES_MAX) {
                return Ok((Kept::Disk, stamp_tag(source, coding, now)));
            }
            let read = source.read();
            if source.is_unchanged() {
                let bytes = read.map_err(|error| {
                    tracing::warn!(path = %at.escape_ascii(), %error, "cannot read a file");
                    Refusal::Broken
                })?;
                let is_digested = len <= DIGESTED_BYTES_MAX;
                let digest = is_digested.then(|| Tag::of_bytes(&bytes, coding));
                let tag = digest.unwrap_or_else(|| stamp_tag(source, coding, now));
                let kept = room.map_or(Kept::Disk, |room| Kept::Memory(room.hold(bytes.into())));
                return Ok((kept, tag));
            }
            *source = self.tree.open_file(at, now)?;
        }
        Err(Refusal::Busy)
    }

    /// The coded form of `resource`, kept for the next who asks.
    pub(super) fn keep_packed(
        &self,
        resource: &Resource,
        coding: Coding,
        (body, tag): (StoredBody, Tag),
    ) -> Arc<Variant> {
        let len = body.bytes().len() as u64;
        let form = Form { coding, tag, len, kept: Kept::Memory(body), sidecar: None };
        let modified = resource.stamp.modified;
        let variant = Variant::of(form, &resource.traits, modified, resource.known_at);
        let variant = Arc::new(variant);
        self.replace(&Arc::new(resource.with_packed(coding, Arc::clone(&variant))));
        variant
    }

    /// Puts `new` wherever what was known of the same file is kept.
    pub(super) fn replace(&self, new: &Arc<Resource>) {
        let at = new.at.as_bytes();
        self.keep(KeyRef { path: at, directory: false }, new);
        self.keep_for_folder(at);
    }

    /// Has the file at `at`, if it is kept, answer for its folder, too.
    pub(super) fn keep_for_folder(&self, at: &[u8]) {
        let Some(path) = self.folder_of(at) else { return };
        match self.hot.find(KeyRef { path: at, directory: false }) {
            Some(known) if known.way == Way::Straight => {
                self.keep(KeyRef { path, directory: true }, &known);
            }
            _ => (),
        }
    }

    /// The folder that the file at `at` stands for, as its first index.
    fn folder_of<'a>(&self, at: &'a [u8]) -> Option<&'a [u8]> {
        let folder = at.strip_suffix(self.index.first()?.as_bytes())?;
        if folder.is_empty() { Some(folder) } else { folder.strip_suffix(b"/") }
    }
}

/// The tag of a file that is not digested. While a later write may leave the same stamp it is weak,
/// so that no parts of two states are put together.
fn stamp_tag(source: &Source, coding: Coding, now: SystemTime) -> Tag {
    let tag = Tag::of_stamp(&source.stamp, coding);
    if is_settled(&source.stamp, now) { tag } else { tag.weakened() }
}
