//! What the disk tier is told.

use std::time::Duration;

/// What the disk tier is told. [`DiskSettings::of`] gives usual ones.
#[derive(Clone, Debug)]
pub struct DiskSettings {
    /// Bytes that the folder may have, files that are being written and the snapshot included.
    pub disk_max: u64,
    /// Bytes of a segment, the unit in which small objects are evicted.
    pub segment_bytes: u64,
    /// Bytes of objects that may wait for the writer. What comes while there are more, is not stored.
    pub queue_bytes: u64,
    /// After how long a disk that failed is tried again.
    pub retry: Duration,
    /// The part of a key that prefixes and globs are about.
    pub name_of: fn(&[u8]) -> &[u8],
    /// The families of a key: what it has in common with others, to be removed with them.
    pub families_of: FamiliesOf,
}

/// Tells the names of the families of a key: the key is of the last that are told at once, and each of
/// these is of the one before it.
pub type FamiliesOf = fn(key: &[u8], tell: &mut dyn FnMut(&[&[u8]]));

impl DiskSettings {
    /// The usual settings for a folder of `disk_max` bytes; prefixes and globs see whole keys, and no
    /// key is of a family.
    pub fn of(disk_max: u64) -> Self {
        const USUAL_SEGMENT: u64 = 64 << 20;
        // Each segment that is there is an open file, and eviction has to have some to choose from.
        let segment_bytes = (disk_max / 16).min(USUAL_SEGMENT).max(disk_max / 1024);
        Self {
            disk_max,
            segment_bytes: segment_bytes.clamp(SEGMENT_BYTES_MIN, SEGMENT_BYTES_MAX),
            queue_bytes: (disk_max / 16).clamp(2 << 20, 4 << 20),
            retry: Duration::from_secs(5),
            name_of: |key| key,
            families_of: |_, _| (),
        }
    }
}

/// What a folder is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To look at what is in it: nothing is written or deleted.
    Look,
    /// To change what is in it.
    Change,
}

/// Room for one of the largest records and then some.
const SEGMENT_BYTES_MIN: u64 = 1 << 20;
/// A place in a segment is a `u32` of eights.
const SEGMENT_BYTES_MAX: u64 = 16 << 30;

/// A body of more bytes has a file of its own.
pub const SMALL_BODY_MAX: u64 = 128 << 10;
