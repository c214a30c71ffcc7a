//! Texts that are known by a gram: `N` bytes of them that few others have.

use std::ops::ControlFlow;

use hashbrown::HashTable;

use super::mix::mix;

/// Texts to be found by their grams. The default has none.
#[derive(Debug)]
pub(super) struct Grams<const N: usize> {
    filter: Filter,
    sharings: HashTable<Sharing<N>>,
    /// Those with the same gram one after the other.
    known: Vec<Known>,
    /// The texts, one after the other.
    bytes: Vec<u8>,
}

/// Those of the known that share a gram.
#[derive(Clone, Copy, Debug)]
struct Sharing<const N: usize> {
    gram: [u8; N],
    first: u32,
    end: u32,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    number: u32,
    /// Where it begins among all.
    start: u32,
    len: u32,
    /// Where in it its gram is.
    gram_at: u32,
}

/// A text with its number, which is to be known by its gram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Chosen<'t, const N: usize> {
    gram: [u8; N],
    number: u32,
    gram_at: u32,
    text: &'t [u8],
}

/// The most texts that are compared where a gram was found that they share.
pub(super) const SHARED_MAX: u32 = 16;

impl<const N: usize> Grams<N> {
    /// Takes in `texts` with their numbers, each known by what of it is rarest. What is too short,
    /// or shares its gram with too many, is given to `others`.
    pub(super) fn new<'t>(
        texts: impl Iterator<Item = (u32, &'t [u8])>,
        rarity: &Rarity<N>,
        mut others: impl FnMut(u32, &'t [u8]),
    ) -> Self {
        let mut chosen = Vec::new();
        for (number, text) in texts {
            match rarity.rarest(text) {
                Some((gram, gram_at)) => chosen.push(Chosen { gram, number, gram_at, text }),
                None => others(number, text),
            }
        }
        chosen.sort_unstable();
        let mut grams = Self { filter: Filter::for_count(chosen.len()), ..Self::default() };
        for same in chosen.chunk_by(|one, other| one.gram == other.gram) {
            if same.len() > widen(SHARED_MAX) {
                for it in same {
                    others(it.number, it.text);
                }
            } else {
                grams.know(same);
            }
        }
        grams
    }

    /// Takes in those that have the same gram.
    fn know(&mut self, same: &[Chosen<'_, N>]) {
        let Some(&Chosen { gram, .. }) = same.first() else { return };
        let first = narrow(self.known.len());
        for &Chosen { number, gram_at, text, .. } in same {
            let [start, len] = [self.bytes.len(), text.len()].map(narrow);
            self.known.push(Known { number, start, len, gram_at });
            self.bytes.extend(text);
        }
        let sharing = Sharing { gram, first, end: narrow(self.known.len()) };
        self.filter.add(hash(gram));
        self.sharings.insert_unique(hash(gram), sharing, |old| hash(old.gram));
    }

    /// Gives `found` the numbers of those that stand in `text`, some of them perhaps more than once,
    /// until it breaks off.
    ///
    /// *Cost*: a look into the filter for each byte of `text`, and comparing those whose gram was found.
    pub(super) fn each_within<B>(
        &self,
        text: &[u8],
        mut found: impl FnMut(u32) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        // Nothing is looked for where there is nothing.
        let looked_at = if self.known.is_empty() { &[] } else { text };
        // A loop, as the same in iterators takes twice the time.
        for (at, gram) in looked_at.array_windows::<N>().enumerate() {
            if self.filter.may_have(hash(*gram)) {
                let known = self.with_gram(*gram).iter();
                let mut standing = known.filter(|known| self.stands(known, text, at));
                standing.try_for_each(|known| found(known.number))?;
            }
        }
        ControlFlow::Continue(())
    }

    fn with_gram(&self, gram: [u8; N]) -> &[Known] {
        let sharing = self.sharings.find(hash(gram), |sharing| sharing.gram == gram);
        sharing.map_or(&[], |sharing| &self.known[widen(sharing.first)..widen(sharing.end)])
    }

    /// Whether `known` stands in `text`, given that its gram is at `at`.
    fn stands(&self, known: &Known, text: &[u8], at: usize) -> bool {
        let start = widen(known.start);
        let wanted = &self.bytes[start..start + widen(known.len)];
        let place = at.checked_sub(widen(known.gram_at)).and_then(|first| text.get(first..));
        place.is_some_and(|place| place.starts_with(wanted))
    }

    /// Bytes.
    pub(super) fn memory(&self) -> usize {
        let known = size_of_val(&*self.known) + self.bytes.len();
        size_of_val(&*self.filter.words) + self.sharings.allocation_size() + known
    }
}

impl<const N: usize> Default for Grams<N> {
    fn default() -> Self {
        let filter = Filter::for_count(0);
        Self { filter, sharings: HashTable::new(), known: Vec::new(), bytes: Vec::new() }
    }
}

/// Which grams there may be: a Bloom filter with both bits of a gram in one word.
#[derive(Debug)]
struct Filter {
    words: Vec<u64>,
    /// How far a hash is shifted to be the number of a word.
    shift: u32,
}

/// Of the filter. One of some 300 grams that were not added passes it then.
const BITS_PER_GRAM: usize = 32;

impl Filter {
    fn for_count(count: usize) -> Self {
        // Two at least: a shift by all bits is none.
        let words = (count * BITS_PER_GRAM / 64).max(2).next_power_of_two();
        Self { words: vec![0; words], shift: u64::BITS - words.ilog2() }
    }

    fn add(&mut self, hash: u64) {
        let (word, bits) = self.place(hash);
        self.words[word] |= bits;
    }

    fn may_have(&self, hash: u64) -> bool {
        let (word, bits) = self.place(hash);
        self.words[word] & bits == bits
    }

    fn place(&self, hash: u64) -> (usize, u64) {
        (place(hash, self.shift), 1 << (hash & 63) | 1 << (hash >> 6 & 63))
    }
}

/// How often grams are in texts, those with the same hash together.
#[derive(Debug)]
pub(super) struct Rarity<const N: usize> {
    counts: Vec<u32>,
}

const RARITY_BITS: u32 = 18;

/// What is in every other URL: no text is to be known by a gram of it.
const USUAL: [&[u8]; 2] = [b"https://www.", b"http://www."];

impl<const N: usize> Rarity<N> {
    /// In `texts`.
    pub(super) fn within<'t>(texts: impl Iterator<Item = &'t [u8]>) -> Self {
        let mut rarity = Self { counts: vec![0; 1 << RARITY_BITS] };
        for gram in texts.flat_map(|text| text.array_windows()) {
            let count = &mut rarity.counts[Self::place(*gram)];
            *count = count.saturating_add(1);
        }
        for gram in USUAL.iter().flat_map(|usual| usual.array_windows()) {
            rarity.counts[Self::place(*gram)] = u32::MAX;
        }
        rarity
    }

    /// How often the rarest gram of `text` is there, or [`u32::MAX`] if every other URL has it; none
    /// in a text that is too short for one.
    pub(super) fn count(&self, text: &[u8]) -> Option<u32> {
        self.rarest(text).map(|(gram, _)| self.counts[Self::place(gram)])
    }

    /// The gram of `text` that is rarest, and where it is; none in less than `N` bytes.
    fn rarest(&self, text: &[u8]) -> Option<([u8; N], u32)> {
        let grams = text.array_windows().zip(0..);
        let rarest = grams.min_by_key(|(gram, _)| self.counts[Self::place(**gram)]);
        rarest.map(|(gram, at)| (*gram, at))
    }

    fn place(gram: [u8; N]) -> usize {
        place(hash(gram), u64::BITS - RARITY_BITS)
    }
}

/// Mixes a gram of at most eight bytes.
fn hash<const N: usize>(gram: [u8; N]) -> u64 {
    let mut wide = [0; 8];
    wide[..N].copy_from_slice(&gram);
    mix(u64::from_le_bytes(wide))
}

fn place(hash: u64, shift: u32) -> usize {
    usize::try_from(hash >> shift).expect("a place in memory")
}

/// A place in lists that are kept small enough.
fn narrow(place: usize) -> u32 {
    u32::try_from(place).expect("lists of less than 4 GiB")
}

fn widen(place: u32) -> usize {
    usize::try_from(place).expect("a place in memory")
}
