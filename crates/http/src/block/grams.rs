//! Texts that are known by a gram: `N` bytes of them that few others have.

use std::ops::ControlFlow;

use hashbrown::HashTable;

use super::mix::mix;

/// Texts to be found by their grams. The default has none.
///
/// Only every `STEP`th place of what is looked at is asked about. So the filter knows of each text as
/// many grams, one after the other: wherever the text stands, one of them is at such a place.
#[derive(Debug)]
pub(super) struct Grams<const N: usize, const STEP: usize> {
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
    /// Where in it its first gram is.
    gram_at: u32,
}

/// A text with its number, which is to be known by its gram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Chosen<'t, const N: usize> {
    gram: [u8; N],
    number: u32,
    /// Where the gram is, and `STEP - 1` more behind it.
    gram_at: u32,
    text: &'t [u8],
}

/// The most texts that are compared where a gram was found that they share.
pub(super) const SHARED_MAX: u32 = 16;

impl<const N: usize, const STEP: usize> Grams<N, STEP> {
    /// How long texts are at least.
    pub(super) const LEN_MIN: usize = N + STEP - 1;

    /// Takes in `texts` with their numbers, each known by what of it is rarest. What is too short,
    /// or shares its gram with too many, is given to `others`.
    pub(super) fn new<'t>(
        texts: impl Iterator<Item = (u32, &'t [u8])>,
        rarity: &Rarity<N>,
        mut others: impl FnMut(u32, &'t [u8]),
    ) -> Self {
        let mut chosen = Vec::new();
        for (number, text) in texts {
            match rarity.rarest(text, STEP) {
                Some((gram, gram_at)) => chosen.push(Chosen { gram, number, gram_at, text }),
                None => others(number, text),
            }
        }
        chosen.sort_unstable();
        let mut grams = Self { filter: Filter::for_count(chosen.len() * STEP), ..Self::default() };
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
            for gram in text[widen(gram_at)..].array_windows::<N>().take(STEP) {
                self.filter.add(hash(*gram));
            }
        }
        let sharing = Sharing { gram, first, end: narrow(self.known.len()) };
        self.sharings.insert_unique(hash(gram), sharing, |old| hash(old.gram));
    }

    /// Gives `found` the numbers of those that stand in `text`, some of them perhaps more than once,
    /// until it breaks off.
    ///
    /// *Cost*: a look into the filter for each `STEP` bytes of `text`, and comparing those whose gram was
    /// found.
    pub(super) fn each_within<B>(
        &self,
        text: &[u8],
        mut found: impl FnMut(u32) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        // Nothing is looked for where there is nothing.
        let looked_at = if self.known.is_empty() { &[] } else { text };
        let mut at = 0;
        // A loop, as the same in iterators takes twice the time.
        while let Some(gram) = looked_at.get(at..).and_then(<[u8]>::first_chunk::<N>) {
            if self.filter.may_have(hash(*gram)) {
                self.each_around(text, at, &mut found)?;
            }
            at += STEP;
        }
        ControlFlow::Continue(())
    }

    /// The same for those whose first gram is at `at`, or so little before that one of theirs is.
    #[cold]
    fn each_around<B>(
        &self,
        text: &[u8],
        at: usize,
        found: &mut impl FnMut(u32) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let first = (at + 1).saturating_sub(STEP);
        for (at, gram) in (first..).zip(text[first..at + N].array_windows::<N>()) {
            let known = self.with_gram(*gram).iter();
            let mut standing = known.filter(|known| self.stands(known, text, at));
            standing.try_for_each(|known| found(known.number))?;
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

impl<const N: usize, const STEP: usize> Default for Grams<N, STEP> {
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

/// Of the filter, at least. One of some 70 to 300 grams that were not added passes it then.
const BITS_PER_GRAM: usize = 16;

impl Filter {
    fn for_count(count: usize) -> Self {
        // Two at least: a shift by all bits is none.
        let words = (count * BITS_PER_GRAM / 64).max(2).next_power_of_two();
        Self { words: vec![0; words], shift: u64::BITS - words.ilog2() }
    }

    fn add(&mut self, hash: u64) {
        for bit in bits(hash) {
            self.words[place(hash, self.shift)] |= 1 << bit;
        }
    }

    fn may_have(&self, hash: u64) -> bool {
        let word = self.words[place(hash, self.shift)];
        let [one, other] = bits(hash);
        // Without branches: that the first is there tells little.
        word >> one & word >> other & 1 == 1
    }
}

/// The two bits in its word that a gram has.
fn bits(hash: u64) -> [u64; 2] {
    [hash & 63, hash >> 6 & 63]
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

    /// How often the rarest `step` grams of `text` are there, one after the other, or [`u32::MAX`] if
    /// every other URL has one of them; none in a text that is too short for them.
    pub(super) fn count(&self, text: &[u8], step: usize) -> Option<u32> {
        let stretches = text.windows(N + step - 1);
        stretches.map(|stretch| self.most(stretch)).min()
    }

    /// The first of the `step` grams of `text` that are rarest, one after the other, and where it is;
    /// none in a text that is too short for them.
    fn rarest(&self, text: &[u8], step: usize) -> Option<([u8; N], u32)> {
        let stretches = text.windows(N + step - 1).zip(0..);
        let (rarest, at) = stretches.min_by_key(|(stretch, _)| self.most(stretch))?;
        Some((*rarest.first_chunk()?, at))
    }

    /// How often the gram of `stretch` is there that is least rare.
    fn most(&self, stretch: &[u8]) -> u32 {
        let grams = stretch.array_windows::<N>();
        grams.map(|gram| self.counts[Self::place(*gram)]).max().unwrap_or(0)
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
