//! What F1 shows: how things stand, what is where on the screen, what keys do, and what can be typed.

use relais_hub::words::{self, Text};

use super::{
    model::Model,
    text::{self, columns},
};

/// Behind longer keys and commands what they do is not aligned.
const COLUMNS_MAX: usize = 20;

/// All of it. Parts are parted by an empty line.
pub(super) fn lines(model: &Model) -> Vec<String> {
    let lang = model.lang;
    let said = |table: &[(Text, Text)]| -> Vec<(String, String)> {
        let said =
            |(what, does): &(Text, Text)| (what.of(lang).to_owned(), does.of(lang).to_owned());
        table.iter().map(said).collect()
    };
    let parts = [standing(model), said(PLACES), said(KEYS), words::help(lang)];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let all = parts.iter().flatten();
    let width = all.fold(0, |width, (what, _)| width.max(columns(what))).min(COLUMNS_MAX);
    let line = |(what, does): &(String, String)| {
        let blank = " ".repeat(width.saturating_sub(columns(what)));
        format!("{what}{blank}  {does}")
    };
    let parts = parts.iter().map(|part| part.iter().map(line).collect::<Vec<_>>());
    parts.collect::<Vec<_>>().join(&String::new())
}

/// What was wished and is seen nowhere else.
fn standing(model: &Model) -> Vec<(String, String)> {
    let words: Vec<_> = model.hub().words.iter().map(text::line).collect();
    let words = (!words.is_empty()).then(|| (KEYWORDS.of(model.lang).to_owned(), words.join(", ")));
    words.into_iter().collect()
}

const KEYWORDS: Text = Text { en: "words looked out for", fr: "mots guettés" };

/// What is where.
const PLACES: &[(Text, Text)] = &[
    (
        Text { en: "above", fr: "en haut" },
        Text {
            en: "the room, what it is about, who you are",
            fr: "le salon, de quoi il parle, qui vous êtes",
        },
    ),
    (
        Text { en: "left", fr: "à gauche" },
        Text {
            en: "rooms and talks: 3 is new, @3 is for you, + invites you, » your turn, ✎ is begun, ● there, ◐ away",
            fr: "salons et discussions : 3 nouveaux, @3 pour vous, + vous invite, » à vous, ✎ commencé, ● là, ◐ absent",
        },
    ),
    (
        Text { en: "in the middle", fr: "au milieu" },
        Text {
            en: "what is said; with … for its time it is not with the hub yet",
            fr: "ce qui se dit ; avec … pour heure, ce n'est pas encore chez le serveur",
        },
    ),
    (
        Text { en: "right", fr: "à droite" },
        Text {
            en: "who is in the room; + may do more than say",
            fr: "qui est dans le salon ; + peut plus que parler",
        },
    ),
    (
        Text { en: "below", fr: "en bas" },
        Text {
            en: "what is going on, and what you type",
            fr: "ce qui se passe, et ce que vous tapez",
        },
    ),
];

/// The keys, and what they do.
const KEYS: &[(Text, Text)] = &[
    (
        Text { en: "Enter, Alt-Enter", fr: "Entrée, Alt-Entrée" },
        Text { en: "say it; begin another line", fr: "le dire ; commencer une autre ligne" },
    ),
    (
        Text { en: "Tab", fr: "Tab" },
        Text {
            en: "complete a name, a room, a command",
            fr: "compléter un nom, un salon, une commande",
        },
    ),
    (
        Text { en: "Ctrl-N, Ctrl-P", fr: "Ctrl-N, Ctrl-P" },
        Text {
            en: "the next room, the one before; Alt-1 the first",
            fr: "le salon suivant, le précédent ; Alt-1 le premier",
        },
    ),
    (
        Text { en: "Alt-A", fr: "Alt-A" },
        Text {
            en: "to the next room with something new",
            fr: "au prochain salon où il y a du nouveau",
        },
    ),
    (
        Text { en: "PgUp, PgDn, Esc, Ctrl-End", fr: "PgHaut, PgBas, Échap, Ctrl-Fin" },
        Text {
            en: "scroll; back to the newest",
            fr: "faire défiler ; revenir aux derniers messages",
        },
    ),
    (
        Text { en: "Ctrl-Up, Ctrl-Down; Alt-K, Alt-J", fr: "Ctrl-Haut, Ctrl-Bas ; Alt-K, Alt-J" },
        Text {
            en: "choose a message; then r answers it, e says it otherwise, + puts a sign to it, d takes it out",
            fr: "choisir un message ; puis r y répond, e le corrige, + y met un signe, d le retire",
        },
    ),
    (
        Text { en: "Up, Down", fr: "Haut, Bas" },
        Text { en: "what you typed before", fr: "ce que vous avez tapé avant" },
    ),
    (
        Text {
            en: "Ctrl-A, Ctrl-E; Ctrl-Left, Ctrl-Right",
            fr: "Ctrl-A, Ctrl-E ; Ctrl-Gauche, Ctrl-Droite",
        },
        Text {
            en: "to the beginning of the line, its end; a word on",
            fr: "au début de la ligne, à sa fin ; d'un mot",
        },
    ),
    (
        Text { en: "Ctrl-W, Ctrl-U, Ctrl-K, Ctrl-Y", fr: "Ctrl-W, Ctrl-U, Ctrl-K, Ctrl-Y" },
        Text {
            en: "cut the word before, the line before, the line behind; put it in again",
            fr: "couper le mot avant, la ligne avant, la ligne après ; remettre ce qui est coupé",
        },
    ),
    (
        Text { en: "F1, F2, F3; Alt-H, Alt-L, Alt-M", fr: "F1, F2, F3 ; Alt-H, Alt-L, Alt-M" },
        Text {
            en: "show this help, the rooms, who is in the room; once more, not",
            fr: "montrer cette aide, les salons, qui est dans le salon ; encore une fois, non",
        },
    ),
    (
        Text { en: "F4", fr: "F4" },
        Text {
            en: "give the mouse to the terminal, or take it",
            fr: "laisser la souris au terminal, ou la prendre",
        },
    ),
    (
        Text { en: "F5, Alt-C", fr: "F5, Alt-C" },
        Text {
            en: "show what is seen, or the chosen message, bare: to copy it",
            fr: "montrer ce qui se voit, ou le message choisi, nu : pour le copier",
        },
    ),
    (
        Text { en: "Ctrl-L, Ctrl-Z, Ctrl-C", fr: "Ctrl-L, Ctrl-Z, Ctrl-C" },
        Text { en: "draw anew; rest; leave", fr: "redessiner ; suspendre ; sortir" },
    ),
];
