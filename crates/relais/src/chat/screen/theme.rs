//! What the screen looks like: colours that suit the terminal, and one for each author that stays.

use clap::ValueEnum;
use ratatui::style::{Color, Modifier, Style};

/// A way to look, as `--theme` names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::chat) enum Theme {
    /// The terminal's own 16 colours, on its own ground: for light and dark ones
    #[default]
    Terminal,
    /// For a dark ground
    Dark,
    /// For a light ground
    Light,
    /// Without colours
    Plain,
}

/// How many colours a terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// None, or none are wanted.
    None,
    Sixteen,
    Indexed,
    True,
}

impl Depth {
    /// That of a terminal which says `term` (`TERM`) and `colours` (`COLORTERM`) of itself.
    pub(super) fn of(term: &str, colours: &str) -> Self {
        match (colours, term) {
            ("truecolor" | "24bit", _) => Self::True,
            (_, "dumb" | "vt100" | "vt220") => Self::None,
            _ if term.contains("256color") || term.contains("direct") => Self::Indexed,
            _ => Self::Sixteen,
        }
    }
}

/// How each thing looks.
#[derive(Clone, Debug)]
pub(super) struct Look {
    /// The bars above and below.
    pub(super) bar: Style,
    /// What is beside the matter: times, hints, what others did.
    pub(super) faint: Style,
    /// What is to be seen first.
    pub(super) strong: Style,
    /// The room that one is in, the message that is chosen.
    pub(super) chosen: Style,
    /// Rooms in which something is new, the line above it.
    pub(super) new: Style,
    /// Where one is named.
    pub(super) mention: Style,
    /// What went wrong, or is not there.
    pub(super) wrong: Style,
    /// Who is there.
    pub(super) there: Style,
    authors: Vec<Style>,
}

impl Look {
    /// That of a theme in as many colours as there are.
    pub(super) fn of(theme: Theme, depth: Depth) -> Self {
        match (theme, depth) {
            (Theme::Plain, _) | (_, Depth::None) => Self::plain(),
            (Theme::Terminal, _) | (_, Depth::Sixteen) => Self::sixteen(),
            (Theme::Dark, Depth::Indexed) => {
                Self::many(Ground::Dark, &INDEXED_ON_DARK.map(Color::Indexed))
            }
            (Theme::Light, Depth::Indexed) => {
                Self::many(Ground::Light, &INDEXED_ON_LIGHT.map(Color::Indexed))
            }
            (Theme::Dark, Depth::True) => Self::many(Ground::Dark, &hues(165, 240)),
            (Theme::Light, Depth::True) => Self::many(Ground::Light, &hues(20, 140)),
        }
    }

    /// How what `name` says begins: the same wherever and whenever it is said.
    pub(super) fn author(&self, name: &str) -> Style {
        let place = fnv(&name.to_lowercase()) % self.authors.len();
        self.authors[place]
    }

    fn plain() -> Self {
        let (none, bold) = (Style::new(), Style::new().add_modifier(Modifier::BOLD));
        let reversed = Style::new().add_modifier(Modifier::REVERSED);
        Self {
            bar: reversed,
            faint: none,
            strong: bold,
            chosen: reversed,
            new: bold,
            mention: bold.add_modifier(Modifier::UNDERLINED),
            wrong: bold,
            there: none,
            authors: vec![bold],
        }
    }

    fn sixteen() -> Self {
        let colour = |colour| Style::new().fg(colour);
        Self {
            // Not a colour that is called grey: on some grounds it is not seen.
            faint: Style::new().add_modifier(Modifier::DIM),
            new: colour(Color::Yellow).add_modifier(Modifier::BOLD),
            mention: colour(Color::Magenta).add_modifier(Modifier::BOLD),
            wrong: colour(Color::Red).add_modifier(Modifier::BOLD),
            there: colour(Color::Green),
            authors: SIXTEEN.map(|it| colour(it).add_modifier(Modifier::BOLD)).to_vec(),
            ..Self::plain()
        }
    }

    fn many(ground: Ground, authors: &[Color]) -> Self {
        let [bar, on_bar, faint, chosen, new, mention, wrong, there] = match ground {
            Ground::Dark => [237, 252, 246, 24, 221, 213, 203, 114],
            Ground::Light => [254, 236, 243, 153, 130, 127, 160, 28],
        }
        .map(Color::Indexed);
        let bold = |colour| Style::new().fg(colour).add_modifier(Modifier::BOLD);
        Self {
            bar: Style::new().bg(bar).fg(on_bar),
            faint: Style::new().fg(faint),
            chosen: Style::new().bg(chosen),
            new: bold(new),
            mention: bold(mention),
            wrong: bold(wrong),
            there: Style::new().fg(there),
            authors: authors.iter().copied().map(bold).collect(),
            ..Self::plain()
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Ground {
    Dark,
    Light,
}

/// Those that are read on light and on dark grounds.
const SIXTEEN: [Color; 6] =
    [Color::Red, Color::Green, Color::Yellow, Color::Blue, Color::Magenta, Color::Cyan];

const INDEXED_ON_DARK: [u8; 14] = [39, 43, 75, 79, 81, 111, 113, 141, 149, 176, 179, 204, 209, 215];

const INDEXED_ON_LIGHT: [u8; 14] = [18, 22, 24, 28, 30, 54, 58, 64, 88, 90, 94, 125, 130, 160];

/// 12 colours round the wheel, each part between `low` and `high`.
fn hues(low: u8, high: u8) -> Vec<Color> {
    let part = |place: u16| {
        // A sixth of the wheel up, two of it high, a sixth down, two of it low.
        let up = u16::from(low) + u16::from(high - low) * (place % 4) / 4;
        let value = match place % 24 / 4 {
            0 => up,
            1 | 2 => u16::from(high),
            3 => u16::from(low) + u16::from(high) - up,
            _ => u16::from(low),
        };
        u8::try_from(value).unwrap_or(high)
    };
    // Every other: neighbours are hard to tell apart.
    (0..24)
        .step_by(2)
        .map(|place| Color::Rgb(part(place + 8), part(place), part(place + 16)))
        .collect()
}

/// A number that is the same for the same name everywhere (FNV-1a).
fn fnv(name: &str) -> usize {
    let hash = |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619);
    usize::try_from(name.bytes().fold(2_166_136_261, hash)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_says_how_many_colours_it_has() {
        for (term, colours, expect) in [
            ("xterm-256color", "truecolor", Depth::True),
            ("xterm-256color", "", Depth::Indexed),
            ("xterm", "", Depth::Sixteen),
            ("vt100", "", Depth::None),
        ] {
            assert_eq!(Depth::of(term, colours), expect);
        }
    }

    #[test]
    fn an_author_looks_the_same_everywhere_and_not_as_all_others() {
        for depth in [Depth::Sixteen, Depth::Indexed, Depth::True] {
            for theme in [Theme::Terminal, Theme::Dark, Theme::Light] {
                let look = Look::of(theme, depth);
                assert_eq!(look.author("Ana"), look.author("ana"));
                let names = ["ana", "bob", "eve", "zoe", "max", "lea"];
                assert!(names.iter().any(|name| look.author(name) != look.author("ana")));
            }
        }
    }

    #[test]
    fn without_colours_there_are_none() {
        for look in [Look::of(Theme::Plain, Depth::True), Look::of(Theme::Dark, Depth::None)] {
            let all = [look.bar, look.faint, look.chosen, look.new, look.wrong, look.author("ana")];
            assert!(all.iter().all(|style| style.fg.is_none() && style.bg.is_none()));
        }
    }

    #[test]
    fn hues_go_round_the_wheel() {
        let hues = hues(0, 200);
        assert_eq!(hues.len(), 12);
        assert_eq!(hues[0], Color::Rgb(200, 0, 0));
        let mut different = hues.clone();
        different.dedup();
        assert_eq!(different, hues);
    }
}
