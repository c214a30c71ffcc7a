//! Who notices what, told as what is said and what is wanted.

use proptest::prelude::*;

use super::*;
use crate::model::{Access, Seq, Wish, Words};

const ANA: AccountId = AccountId(Seq(1));
const BOB: AccountId = AccountId(Seq(2));
const EVE: AccountId = AccountId(Seq(3));
const LAB: RoomId = RoomId(Seq(4));

fn entry(state: &State, by: AccountId, deed: Deed) -> Entry {
    Entry { seq: Seq(state.last.0 + 1), at: Millis(100), by, cid: None, deed }
}

fn done(state: &mut State, by: AccountId, deed: Deed) {
    let entry = entry(state, by, deed);
    state.apply(&entry);
}

/// Ana and Bob in a room of hers, and Eve, who is not in it.
fn state() -> State {
    let mut state = State::default();
    for (who, name) in [(ANA, "ana"), (BOB, "Bob"), (EVE, "eve")] {
        done(&mut state, who, Deed::Register { name: name.to_owned() });
    }
    let (name, access) = ("#lab".to_owned(), Access::Public);
    done(&mut state, ANA, Deed::Create { name, access });
    done(&mut state, BOB, Deed::In { room: LAB, act: Act::Join });
    state
}

fn with(wishes: &[(AccountId, Wish)]) -> State {
    let mut state = state();
    for (who, wish) in wishes {
        done(&mut state, *who, Deed::Wish(wish.clone()));
    }
    state
}

fn words(who: AccountId, words: &str) -> (AccountId, Wish) {
    (who, Wish::Words(Words::read(words)))
}

fn say(kind: Kind, body: &str) -> Deed {
    let act = Act::Say { kind, body: body.to_owned(), reply: None };
    Deed::In { room: LAB, act }
}

/// Who is to notice what Ana says, and why.
fn marked(state: &State, body: &str) -> Vec<(AccountId, Why)> {
    let marks = state.marks(&entry(state, ANA, say(Kind::Text, body)));
    marks.iter().filter_map(|mark| Some((mark.who, mark.notify()?))).collect()
}

#[test]
fn a_word_is_found_between_what_is_no_word_and_however_it_is_written() {
    let state = with(&[words(BOB, "été tp3 a_b")]);
    for body in ["été", "l'ÉTÉ!", "un (Été).", "e\u{301}te\u{301}", "tp3-x", "#tp3", "A_B"] {
        assert_eq!(marked(&state, body), [(BOB, Why::Keyword)], "{body}");
    }
    for body in ["étés", "tp33", "tp 3", "ete", "a", "a_b_c", ""] {
        assert_eq!(marked(&state, body), [], "{body}");
    }
}

#[test]
fn who_is_no_member_and_who_says_it_notices_nothing() {
    let everybody = [words(ANA, "tea"), words(BOB, "tea"), words(EVE, "tea")];
    // Of three who look out for it, two are in the room, and of one, one.
    assert_eq!(marked(&with(&everybody), "tea @ana @eve"), [(BOB, Why::Keyword)]);
    assert_eq!(marked(&with(&everybody[1..2]), "tea"), [(BOB, Why::Keyword)]);
    assert_eq!(marked(&with(&everybody[2..]), "tea"), []);
}

#[test]
fn what_programs_say_is_noticed_by_who_wants_all() {
    let level = |level| (BOB, Wish::Level { room: LAB, level });
    let marks = |wishes: &[(AccountId, Wish)]| {
        let state = with(wishes);
        let marks = state.marks(&entry(&state, ANA, say(Kind::Notice, "@bob tea")));
        marks.iter().map(|mark| mark.why).collect::<Vec<_>>()
    };
    assert_eq!(marks(&[words(BOB, "tea")]), []);
    assert_eq!(marks(&[words(BOB, "tea"), level(Level::All)]), [Why::Room]);
}

#[test]
fn who_comes_again_wants_what_is_usual() {
    let mut state = with(&[(BOB, Wish::Level { room: LAB, level: Level::All })]);
    assert_eq!(marked(&state, "hi"), [(BOB, Why::Room)]);
    for act in [Act::Part, Act::Join] {
        done(&mut state, BOB, Deed::In { room: LAB, act });
        assert_eq!(marked(&state, "hi"), []);
    }
    assert_eq!(marked(&state, "@bob"), [(BOB, Why::Mention)]);
}

#[test]
fn words_that_are_named_no_more_are_not_looked_out_for() {
    let state = with(&[words(BOB, "tea milk"), words(ANA, "tea"), words(BOB, "sugar")]);
    assert_eq!(marked(&state, "tea with milk"), []);
    assert_eq!(marked(&state, "sugar"), [(BOB, Why::Keyword)]);
    assert_eq!(state.listeners.len(), 2, "{:?}", state.listeners);
}

#[test]
fn what_is_said_to_one_alone_is_direct_and_to_oneself_is_nothing() {
    let mut state = state();
    let talk = RoomId(Seq(state.last.0 + 1));
    done(&mut state, ANA, Deed::Talk { with: BOB });
    let own = RoomId(Seq(state.last.0 + 1));
    done(&mut state, ANA, Deed::Talk { with: ANA });
    let marks = |room| {
        let act = Act::Say { kind: Kind::Notice, body: "hi".to_owned(), reply: None };
        state.marks(&entry(&state, ANA, Deed::In { room, act }))
    };
    let heed = Heed::Now;
    assert_eq!(marks(talk), [Mark { who: BOB, why: Why::Direct, heed }]);
    assert_eq!(marks(own), []);
}

#[test]
fn what_is_not_noticed_now_is_counted_and_what_never_is_not() {
    let counted = |wish: Option<Wish>, body: &str| {
        let mut state = with(&[words(BOB, "tea")]);
        if let Some(wish) = wish {
            done(&mut state, BOB, Deed::Wish(wish));
        }
        let marks = state.marks(&entry(&state, ANA, say(Kind::Text, body)));
        marks.iter().filter(|mark| mark.is_counted()).count()
    };
    let level = |level| Some(Wish::Level { room: LAB, level });
    for body in ["@bob", "tea"] {
        assert_eq!(counted(None, body), 1);
        assert_eq!(counted(Some(Wish::Quiet(Quiet::On)), body), 1);
        assert_eq!(counted(level(Level::Nothing), body), 0);
        assert_eq!(counted(level(Level::All), body), 1);
    }
    assert_eq!(counted(level(Level::All), "hi"), 0, "it is unread, and no more");
}

#[test]
fn of_a_long_text_the_first_names_and_words_are_looked_for() {
    let state = with(&[words(BOB, "tea")]);
    let names = |count| format!("{} @bob", "@x ".repeat(count));
    assert_eq!(marked(&state, &names(NAMES_MAX - 1)), [(BOB, Why::Mention)]);
    assert_eq!(marked(&state, &names(NAMES_MAX)), []);
    let tea = |count| format!("{} tea", "x ".repeat(count));
    assert_eq!(marked(&state, &tea(WORDS_LOOKED_AT_MAX - 1)), [(BOB, Why::Keyword)]);
    assert_eq!(marked(&state, &tea(WORDS_LOOKED_AT_MAX)), []);
}

#[test]
fn quiet_holds_for_as_long_as_it_says() {
    for (quiet, holds) in [
        (Quiet::Off, false),
        (Quiet::On, true),
        (Quiet::Until(Millis(7)), false),
        (Quiet::Until(Millis(8)), true),
    ] {
        assert_eq!(quiet.holds(Millis(7)), holds, "{quiet:?}");
    }
}

fn level() -> impl Strategy<Value = Level> {
    prop_oneof![Just(Level::All), Just(Level::Mentions), Just(Level::Nothing)]
}

fn quiet() -> impl Strategy<Value = Quiet> {
    let until = (99_u64..103).prop_map(|at| Quiet::Until(Millis(at)));
    prop_oneof![3 => Just(Quiet::Off), 1 => Just(Quiet::On), 2 => until]
}

proptest! {
    #[test]
    fn who_is_told_later_is_told_the_same(
        (level, quiet) in (level(), quiet()),
        keywords in prop_oneof![Just(""), Just("tea"), Just("tea bob")],
        body in "(@bob|tea|bob|hi|[ .-]){0,4}",
        is_notice: bool,
    ) {
        let wishes = [Wish::Level { room: LAB, level }, Wish::Quiet(quiet)];
        let wishes = wishes.map(|wish| (BOB, wish));
        let mut state = with(&wishes);
        let (who, wish) = words(BOB, keywords);
        done(&mut state, who, Deed::Wish(wish));
        let kind = if is_notice { Kind::Notice } else { Kind::Text };
        let said = entry(&state, ANA, say(kind, &body));
        let now = state.marks(&said).iter().find(|mark| mark.who == BOB).and_then(Mark::notify);
        prop_assert_eq!(state.attention(BOB).why(&said, ("Bob", Between::All)), now);
    }

    #[test]
    fn nothing_that_is_said_panics(body: String) {
        marked(&with(&[words(BOB, "tea")]), &body);
    }
}
