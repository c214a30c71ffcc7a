//! What is typed, and what is shown: a table for each, of one-line cases, which is why they are many.

use proptest::prelude::*;

use super::*;
use crate::{
    model::{Access, Cid, Kind, Level, Millis, Mode, Quiet, Role, Said, Seq, Wishes, Words},
    protocol::{
        Answer, Ask, Code, Event, Gap, Held, InvitedBy, Listed, Page, Place, Proof, Refusal,
        Secret, Told, Where,
    },
};

fn lab() -> Place {
    Place::Room("#lab".into())
}

fn say(to: Place, kind: Kind, body: &str) -> Ask {
    Ask::Message { to, kind, body: body.into(), reply: None, cid: None }
}

fn login(user: &str, password: &str) -> Ask {
    let (user, password) = (user.to_owned(), Secret(password.into()));
    Ask::Login { proof: Proof::Password { user, password }, device: None, resume: None }
}

#[track_caller]
fn asks(line: &str, expect: Ask) {
    assert_eq!(read(line, Some(&lab())), Line::Ask(expect), "{line:?}");
}

#[track_caller]
fn is_wrong(line: &str, code: Code, field: &str) {
    match read(line, None) {
        Line::Wrong(misuse) => {
            let refusal = misuse.refusal();
            assert_eq!((refusal.code, refusal.field.unwrap_or_default()), (code, field), "{line}");
        }
        other => panic!("{line:?} is {other:?}"),
    }
}

#[test]
fn a_plain_line_is_said_where_it_is_typed() {
    asks("salut tout le monde\r\n", say(lab(), Kind::Text, "salut tout le monde"));
    asks("  deux  ", say(lab(), Kind::Text, "  deux  "));
    asks("//etc/hosts", say(lab(), Kind::Text, "/etc/hosts"));
    asks("fin de partie", say(lab(), Kind::Text, "fin de partie"));
    is_wrong("salut", Code::NotInRoom, "");
}

#[test]
fn some_lines_ask_nothing_of_the_hub() {
    for line in ["fin", "quit", " QUIT \r\n", "/bye", "/fin", "/quit"] {
        assert_eq!(read(line, None), Line::End, "{line:?}");
    }
    for line in ["", "\r\n", "   "] {
        assert_eq!(read(line, None), Line::Nothing, "{line:?}");
    }
    assert_eq!(read("/lang fr", None), Line::Lang(Lang::Fr));
    assert_eq!(read("/nick bob", None), Line::NameStays);
}

#[test]
fn a_password_may_be_typed_on_the_next_line() {
    asks("/login ana a b c", login("ana", "a b c"));
    let Line::Secret(wanted) = read("/login ana", None) else { panic!() };
    assert_eq!(wanted.with("  secret pass \r\n"), login("ana", "  secret pass "));
    let Line::Secret(wanted) = read("/register @ana", None) else { panic!() };
    let (user, password) = ("ana".to_owned(), Secret("x".into()));
    assert_eq!(wanted.with("x"), Ask::Register { user, password, invitation: None, device: None });
    let Line::Secret(wanted) = read("/unregister", None) else { panic!() };
    let (password, said) = (Secret("x y".into()), Said::Stays);
    assert_eq!(wanted.with("x y\n"), Ask::Unregister { password, said });
}

#[test]
fn an_invitation_is_told_from_a_password() {
    let invited = |invitation: Option<&str>, password: &str| Ask::Register {
        user: "ana".into(),
        password: Secret(password.into()),
        invitation: invitation.map(|it| Secret(it.into())),
        device: None,
    };
    let good = format!("ri_{}", "A".repeat(43));
    asks(&format!("/register ana {good} a b"), invited(Some(&good), "a b"));
    asks("/register ana ri_none a b", invited(None, "ri_none a b"));
    let Line::Secret(wanted) = read(&format!("/register ana {good}"), None) else { panic!() };
    assert_eq!(wanted.with("a b\n"), invited(Some(&good), "a b"));
}

#[test]
fn commands_are_about_the_room_they_are_typed_in() {
    asks("/me rit", say(lab(), Kind::Action, "rit"));
    asks("/ME rit", say(lab(), Kind::Action, "rit"));
    asks("/topic", Ask::Rooms { matching: Some("#lab".into()) });
    asks("/cert my laptop", Ask::Certify { name: "my laptop".into() });
    asks("/cert", Ask::Login { proof: Proof::External, device: None, resume: None });
    asks("/hook the build", Ask::Hook { room: lab(), name: "the build".into() });
    asks("/topic -", Ask::Topic { room: lab(), topic: String::new() });
    asks("/topic le TP 3", Ask::Topic { room: lab(), topic: "le TP 3".into() });
    asks("/leave", Ask::Part { room: lab() });
    asks("/who", Ask::Who { room: lab() });
    asks("/history", Ask::History { room: lab(), page: Page::Latest, limit: None, messages: None });
    let page = Page::Before(Seq(7));
    asks("/history 20 7", Ask::History { room: lab(), page, limit: None, messages: Some(20) });
    let (user, reason) = ("bob".to_owned(), Some("trop de bruit".to_owned()));
    asks("/kick @bob trop de bruit", Ask::Kick { room: lab(), user, reason });
    is_wrong("/me rit", Code::NotInRoom, "");
}

#[test]
fn rooms_are_named_with_their_sign_or_without() {
    asks("/join lab", Ask::Join { room: lab() });
    asks("/join #lab", Ask::Join { room: lab() });
    asks("/join @bob", Ask::Join { room: Place::Person("bob".into()) });
    asks("/part autre", Ask::Part { room: Place::Room("#autre".into()) });
    let (room, access, topic) = ("#lab".to_owned(), Access::Private, None);
    asks("/create lab privé", Ask::Create { room, access, topic });
    asks("/msg bob à toi", say(Place::Person("bob".into()), Kind::Text, "à toi"));
    asks("/msg #lab à tous", say(lab(), Kind::Text, "à tous"));
}

#[test]
fn what_was_said_is_meant_by_its_number() {
    let reply = Some(Seq(12));
    let (to, kind, body) = (lab(), Kind::Text, "oui".to_owned());
    asks("/reply 12 oui", Ask::Message { to, kind, body, reply, cid: None });
    let (room, seq) = (lab(), Seq(12));
    asks("/edit 12 non", Ask::Edit { room, seq, body: "non".into(), cid: None });
    let (room, reason) = (lab(), Some("faux".to_owned()));
    asks("/del 12 faux", Ask::Redact { room, seq, reason, cid: None });
    let (room, emoji) = (lab(), "👍".to_owned());
    asks("/unreact 12 👍", Ask::React { room, seq, emoji, on: false, cid: None });
}

#[test]
fn times_are_typed_with_their_unit() {
    let ban = |seconds, reason: Option<&str>| {
        let (user, reason) = ("bob".to_owned(), reason.map(str::to_owned));
        Ask::Ban { room: lab(), user, seconds, reason }
    };
    asks("/ban bob", ban(None, None));
    asks("/ban bob 10m", ban(Some(600), None));
    asks("/ban bob 7j assez de bruit", ban(Some(604_800), Some("assez de bruit")));
    asks("/ban bob 10 fois", ban(None, Some("10 fois")));
    let (user, on, seconds) = ("bob".to_owned(), true, Some(7200));
    asks("/mute bob 2h", Ask::Mute { room: lab(), user, on, seconds });
    for time in ["soon", "1", "é", "18446744073709551615d"] {
        let Line::Wrong(misuse) = read(&format!("/mute bob {time}"), Some(&lab())) else {
            panic!("{time} is a time");
        };
        let expect = format!("{time:?} is not a time, such as 30s, 10m, 2h or 7d: ");
        assert!(misuse.sentence(Lang::En).starts_with(&expect), "{time}");
    }
}

#[test]
fn what_is_wrong_says_what() {
    is_wrong("/fly", Code::UnknownCommand, "");
    is_wrong("/", Code::UnknownCommand, "");
    is_wrong("/join", Code::MissingField, "room");
    is_wrong("/login", Code::MissingField, "user");
    is_wrong("/password old", Code::MissingField, "new");
    is_wrong("/msg bob", Code::MissingField, "body");
    is_wrong("/calc", Code::MissingField, "expr");
    is_wrong("/lang de", Code::BadField, "lang");
    is_wrong("/create lab secret", Code::BadField, "private");
    let here = Some(lab());
    for (line, field) in
        [("/history x", "limit"), ("/reply un oui", "seq"), ("/slow -1", "seconds")]
    {
        let Line::Wrong(misuse) = read(line, here.as_ref()) else { panic!("{line}") };
        let refusal = misuse.refusal();
        assert_eq!((refusal.code, refusal.field), (Code::BadField, Some(field)), "{line}");
    }
}

#[track_caller]
fn says(line: &str, here: Option<&Place>, [en, fr]: [&str; 2]) {
    let Line::Wrong(misuse) = read(line, here) else { panic!("{line} is right") };
    // What programs are told people read in their language.
    let told = sentence(&misuse.refusal(), Lang::Fr);
    assert!(told.ends_with(&format!("({fr})")), "{told}");
    assert_eq!((&*misuse.sentence(Lang::En), &*misuse.sentence(Lang::Fr)), (en, fr), "{line}");
}

#[test]
fn what_is_wrong_is_said_in_the_words_of_the_command_with_an_example() {
    let lab = lab();
    says(
        "/kick",
        Some(&lab),
        [
            "NAME is missing: /kick NAME [REASON], as in /kick bob too loud",
            "il manque NOM : /kick NOM [RAISON], par exemple /kick bob trop de bruit",
        ],
    );
    says(
        "/re un oui",
        Some(&lab),
        [
            "\"un\" is not a number: /reply NUMBER TEXT, as in /reply 12 at noon",
            "\"un\" n'est pas un nombre : /reply NUMÉRO TEXTE, par exemple /reply 12 à midi",
        ],
    );
    says(
        "/fly",
        None,
        [
            "no command is called \"/fly\": /help lists them",
            "aucune commande ne s'appelle \"/fly\" : /help les donne toutes",
        ],
    );
    says(
        "salut",
        None,
        [
            "you are in no room: /join ROOM comes into one, /msg NAME TEXT speaks to one person",
            "vous n'êtes dans aucun salon : /join SALON entre dans un salon, /msg NOM TEXTE parle à une personne",
        ],
    );
    let Line::Wrong(misuse) = read("/fly\u{1b}[2J", None) else { panic!("it flies") };
    assert!(!misuse.line(Lang::En).trim_end().contains(|char: char| char.is_control()));
}

/// What is typed behind a command, in parts.
fn typed_behind(command: &Command) -> Vec<&'static str> {
    command.example.en.split_whitespace().skip(1).collect()
}

#[test]
fn every_example_is_right_and_what_is_missing_stands_in_the_usage() {
    for command in commands() {
        for lang in Lang::ALL {
            let line = command.example.of(lang);
            let read = read(line, Some(&lab()));
            assert!(!matches!(read, Line::Wrong(_) | Line::Nothing), "{line}: {read:?}");
        }
        for count in 0..typed_behind(command).len() {
            let begin = typed_behind(command)[..count].join(" ");
            let line = format!("/{} {begin}", command.names[0]);
            let Line::Wrong(misuse) = read(&line, Some(&lab())) else { continue };
            for lang in Lang::ALL {
                let sentence = misuse.sentence(lang);
                let (what, usage) = sentence.split_once(['/']).unwrap();
                let word = what.trim_end_matches([' ', ':']).trim_start_matches("il manque ");
                let word = word.trim_end_matches(" is missing");
                assert!(usage.contains(word), "{sentence}");
            }
            let told = sentence(&misuse.refusal(), Lang::Fr);
            assert!(told.ends_with(&format!("({})", misuse.sentence(Lang::Fr))), "{told}");
        }
    }
}

#[test]
fn no_command_is_called_as_another() {
    let mut names: Vec<_> = commands().flat_map(|command| command.names).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn help_has_every_command_in_each_language() {
    for lang in Lang::ALL {
        let help = help(lang);
        assert_eq!(help.len(), commands().count());
        assert!(help.iter().all(|(line, does)| line.starts_with('/') && !does.is_empty()));
    }
    let kick = |lang| help(lang).into_iter().find(|(line, _)| line.starts_with("/kick")).unwrap();
    let does = "send somebody out (moderators)".to_owned();
    assert_eq!(kick(Lang::En), ("/kick NAME [REASON]".to_owned(), does));
    assert_eq!(kick(Lang::Fr).0, "/kick NOM [RAISON]");
}

fn at(from: &str, room: Place) -> Where {
    let at = Millis(1_763_641_860_000);
    let cid = Cid::new("c");
    Where { room, seq: Seq(10), prev: Seq(7), at, from: from.into(), cid }
}

fn message(at: Where, kind: Kind, body: &str) -> Event {
    let body = Some(body.to_owned());
    Event::Message { at, kind, body, reply: None, mention: false, notify: None, edited: false }
}

fn shown(told: &Told, lang: Lang) -> String {
    let here = lab();
    show(told, Reader { lang, me: Some("ana"), here: Some(&here) })
}

#[track_caller]
fn shows(event: Event, expect: &str) {
    assert_eq!(shown(&Told::Event(event), Lang::Fr), expect);
}

#[track_caller]
fn answers(answer: Answer, expect: &str) {
    let told = Told::Answer { re: None, answer: Ok(answer) };
    assert_eq!(shown(&told, Lang::En), expect);
}

#[test]
fn what_is_said_is_shown_with_time_and_name() {
    let bob = || Place::Person("bob".into());
    shows(message(at("bob", lab()), Kind::Text, "salut"), "12:31 <bob> salut\n");
    shows(message(at("bob", bob()), Kind::Text, "privé"), "12:31 -bob→ privé\n");
    shows(message(at("ana", bob()), Kind::Text, "oui"), "12:31 →bob- oui\n");
    shows(message(at("bob", bob()), Kind::Action, "rit"), "12:31 -bob→ * bob rit\n");
    shows(message(at("alice", lab()), Kind::Action, "rit"), "12:31 * alice rit\n");
    shows(message(at("robot", lab()), Kind::Notice, "bip"), "12:31 -robot- bip\n");
    let other = Place::Room("#autre".into());
    shows(message(at("bob", other), Kind::Text, "salut"), "12:31 #autre <bob> salut\n");
    let (at, from, body) = (Millis(0), "ana".to_owned(), "pause".to_owned());
    shows(Event::Announce { at, from, body }, "00:00 ana → tous: pause\n");
}

#[test]
fn no_line_of_a_stranger_looks_like_anothers() {
    let body = "un\n# vous êtes banni\n12:31 <root> deux\u{1b}[2J\u{202e}";
    let expect = "12:31 <bob> un\n      # vous êtes banni\n      12:31 <root> deux[2J\n";
    shows(message(at("bob", lab()), Kind::Text, body), expect);
    let (user, state, text) = ("bob".to_owned(), "away", Some("a\nb\u{7}".to_owned()));
    shows(Event::Presence { user, state, text }, "# bob s'est absenté (a b)\n");
    let refusal = Refusal::of(Code::NoSuchRoom).why("#a\u{1b}\nb");
    let told = Told::Answer { re: None, answer: Err(refusal) };
    let expect = "# there is no such room: /rooms lists them (#a b)\n";
    assert_eq!(shown(&told, Lang::En), expect);
}

#[test]
fn what_became_of_a_message_is_shown_with_it() {
    let (kind, reply) = (Kind::Text, Some(Seq(3)));
    let at = at("bob", lab());
    let message = |body: Option<&str>, edited| {
        let (at, body) = (at.clone(), body.map(str::to_owned));
        Event::Message { at, kind, body, reply, mention: true, notify: None, edited }
    };
    shows(message(Some("oui"), true), "12:31 <bob> (→ 3) oui (corrigé)\n");
    shows(message(None, false), "12:31 <bob> (→ 3) (retiré)\n");
    let (of, body) = (Seq(3), "non".to_owned());
    shows(Event::Edit { at: at.clone(), of, body }, "12:31 <bob> (3 corrigé) non\n");
    let reason = Some("faux".to_owned());
    shows(Event::Redact { at: at.clone(), of, reason }, "# bob a retiré 3: faux\n");
    let emoji = "👍".to_owned();
    shows(Event::React { at, of, emoji, on: false }, "# bob: -👍 3\n");
}

#[test]
fn what_happens_in_a_room_is_told_by_the_hub() {
    let other = Place::Room("#autre".into());
    let bob = || "bob".to_owned();
    shows(Event::Create(at("bob", lab())), "# bob a créé #lab\n");
    shows(Event::Join(at("bob", lab())), "# bob est entré dans #lab\n");
    shows(Event::Part(at("bob", lab())), "# bob a quitté #lab\n");
    shows(Event::Topic { at: at("bob", lab()), topic: "TP 3".into() }, "# #lab: TP 3 (bob)\n");
    let role = Role::Moderator;
    let expect = "# bob est modérateur de #lab\n";
    shows(Event::Role { at: at("ana", lab()), user: bob(), role }, expect);
    let about = |what, until| {
        let (at, reason) = (at("ana", other.clone()), Some("bruit".to_owned()));
        Event::About { at, what, user: bob(), until, reason }
    };
    shows(about("kick", None), "# ana a fait sortir bob (#autre): bruit\n");
    let until = Some(Millis(1_763_641_860_000));
    let expect = "# ana a banni bob (#autre) jusqu'au 2025-11-20 12:31: bruit\n";
    shows(about("ban", until), expect);
    let keeps = |what, value| Event::Rule { at: at("ana", lab()), what, value };
    shows(keeps("slow", Some(5)), "# #lab : 5 s entre deux messages\n");
    shows(keeps("retain", Some(3)), "# #lab : les messages sont gardés 3 jours\n");
    shows(keeps("retain", None), "# #lab : les messages sont gardés pour toujours\n");
}

#[test]
fn a_dialogue_says_whose_turn_it_is_and_who_ended_it() {
    let bob = || Place::Person("bob".into());
    let begun = |mode| Event::Dialogue { at: at("bob", bob()), mode };
    let expect = "# bob a commencé un dialogue, chacun son tour (@bob) : fin ou quit y met fin\n";
    shows(begun(Mode::Turns), expect);
    shows(
        begun(Mode::Free),
        "# bob a commencé un dialogue, libre (@bob) : fin ou quit y met fin\n",
    );
    let turn = |who: &str| Event::Turn { room: bob(), who: who.into() };
    shows(turn("ana"), "# à vous (@bob)\n");
    shows(turn("bob"), "# à bob (@bob)\n");
    let ended = |word: Option<&str>| {
        let (at, word) = (at("bob", bob()), word.map(str::to_owned));
        Event::DialogueEnd { at, word }
    };
    shows(ended(Some("fin")), "# bob a mis fin au dialogue (@bob): fin\n");
    shows(ended(None), "# bob a mis fin au dialogue (@bob)\n");
    let listed = |mode, turn: Option<&str>| {
        let dialogue = Some(Held { mode, turn: turn.map(str::to_owned) });
        Answer::Joined(Listed { room: bob(), topic: String::new(), dialogue, ..listed(0) })
    };
    let head = "# @bob (3), private, owner, a dialogue";
    answers(listed(Mode::Turns, Some("ana")), &format!("{head} each in turn, your turn\n"));
    answers(listed(Mode::Turns, Some("bob")), &format!("{head} each in turn, the turn of bob\n"));
    answers(listed(Mode::Free, None), &format!("{head} whoever likes\n"));
}

#[test]
fn the_last_word_of_a_dialogue_is_said_in_it_and_elsewhere_ends_the_connection() {
    let bob = || Place::Person("bob".into());
    for line in ["fin", " QUIT \r\n"] {
        let expect = Line::Ask(say(bob(), Kind::Text, line.trim()));
        assert_eq!(read_at(line, &Stand::InDialogue(bob())), expect);
        assert_eq!(read_at(line, &Stand::In(bob())), Line::End);
        assert_eq!(read_at(line, &Stand::Nowhere), Line::End);
    }
    assert_eq!(read_at("/quit", &Stand::InDialogue(bob())), Line::End);
    let hi = Line::Ask(say(bob(), Kind::Text, "hi"));
    assert_eq!(read_at("hi", &Stand::InDialogue(bob())), hi);
}

#[test]
fn who_stands_in_a_dialogue_hears_of_its_end() {
    let bob = || Place::Person("bob".into());
    let (begun, mode) = (|room| at("bob", room), Mode::Turns);
    let mut stand = Stand::entered(bob(), None);
    stand.hear(&Event::Dialogue { at: begun(Place::Person("eve".into())), mode });
    assert_eq!(stand, Stand::In(bob()));
    stand.hear(&Event::Dialogue { at: begun(bob()), mode });
    assert_eq!(stand, Stand::InDialogue(bob()));
    stand.hear(&Event::DialogueEnd { at: begun(bob()), word: None });
    assert_eq!(stand, Stand::In(bob()));
    let held = Held { mode, turn: None };
    assert_eq!(Stand::entered(bob(), Some(&held)), Stand::InDialogue(bob()));
}

#[test]
fn what_is_to_be_noticed_is_shown_to_who_wants_it() {
    shows(Event::Notify { room: lab(), level: Level::All }, "# #lab : tout est signalé\n");
    shows(Event::Notify { room: lab(), level: Level::Nothing }, "# #lab : rien n'est signalé\n");
    shows(Event::Keywords(Words::read("thé tea")), "# mots guettés : tea, thé\n");
    shows(Event::Keywords(Words::default()), "# aucun mot n'est guetté\n");
    let until = Quiet::Until(Millis(1_763_641_860_000));
    shows(Event::Quiet(until), "# on ne vous dérange plus jusqu'au 2025-11-20 12:31\n");
    shows(Event::Quiet(Quiet::On), "# on ne vous dérange plus, jusqu'à /quiet off\n");
    shows(Event::Quiet(Quiet::Off), "# on peut de nouveau vous déranger\n");
    let listed = Listed { mentions: 2, level: Level::Nothing, ..listed(7) };
    let expect = "# #lab (3), private, owner, 7 new, 2 for you, nothing is to be noticed: TP\n";
    answers(Answer::Joined(listed), expect);
    let wishes = Wishes { words: Words::read("tea"), quiet: Quiet::On };
    let (user, session, token) = ("ana".to_owned(), "s_1".to_owned(), None);
    let (cursor, rooms) = (Seq(9), Vec::new());
    let expect = "# you are ana\n# words that are looked out for: tea\n\
        # you are not disturbed, until /quiet off\n";
    answers(Answer::LoggedIn { user, session, token, cursor, rooms, wishes }, expect);
}

#[test]
fn what_is_to_be_noticed_is_asked_for_in_both_languages() {
    let level = |level| Ask::Notify { room: lab(), level };
    for (line, expect) in [
        ("/notify all", level(Level::All)),
        ("/notify tout", level(Level::All)),
        ("/notify mentions", level(Level::Mentions)),
        ("/signaler rien", level(Level::Nothing)),
        ("/keywords tea, thé", Ask::Keywords { words: vec!["tea".into(), "thé".into()] }),
        ("/mots -", Ask::Keywords { words: Vec::new() }),
        ("/quiet", Ask::Quiet { on: true, seconds: None }),
        ("/quiet 2h", Ask::Quiet { on: true, seconds: Some(7200) }),
        ("/silence off", Ask::Quiet { on: false, seconds: None }),
    ] {
        asks(line, expect);
    }
    is_wrong("/notify all", Code::NotInRoom, "");
    is_wrong("/keywords", Code::MissingField, "words");
    is_wrong("/quiet soon", Code::BadField, "seconds");
    let Line::Wrong(misuse) = read("/notify some", Some(&lab())) else { panic!("a level") };
    let refusal = misuse.refusal();
    assert_eq!((refusal.code, refusal.field), (Code::BadField, Some("level")));
}

#[test]
fn a_dialogue_is_asked_for_in_both_languages() {
    let ask = |mode| Ask::Dialogue { with: "bob".into(), mode };
    for (line, mode) in [
        ("/dialogue bob", Some(Mode::Turns)),
        ("/dialogue @bob tours", Some(Mode::Turns)),
        ("/dialogue bob free", Some(Mode::Free)),
        ("/dialogue bob libre", Some(Mode::Free)),
        ("/dialogue bob fin", None),
        ("/dialogue bob end", None),
    ] {
        asks(line, ask(mode));
    }
    is_wrong("/dialogue", Code::MissingField, "user");
    is_wrong("/dialogue bob slowly", Code::BadField, "mode");
}

#[test]
fn what_only_programs_make_use_of_is_not_shown() {
    shows(Event::Read { room: lab(), last: Seq(1) }, "");
    shows(Event::Typing { room: lab(), user: "bob".into(), on: true }, "");
    answers(Answer::Written { seq: Seq(1), at: Millis(0), dup: false }, "");
    answers(Answer::Live { cursor: Seq(1) }, "");
}

#[test]
fn what_is_missing_is_never_hidden() {
    let gap = Event::Gap(Gap { room: lab(), from: Seq(1), to: Seq(9) });
    shows(gap, "# tout ce qui vous manque de #lab n'est pas montré : /history\n");
    let lagged = Event::Lagged { room: lab(), last: Seq(9) };
    shows(lagged, "# vous lisez trop lentement pour #lab : /history\n");
    let bye = Event::Bye(Refusal::of(Code::Shutdown).retry_ms(1500));
    shows(bye, "# le serveur s'arrête : revenez dans un instant, de nouveau dans 2 s\n");
}

fn listed(unread: u64) -> Listed {
    let mine = Some((Seq(1), Role::Owner));
    let access = Access::Private;
    Listed {
        room: lab(),
        topic: "TP".into(),
        access,
        last: Seq(9),
        mine,
        unread,
        members: 3,
        mentions: 0,
        level: Level::Mentions,
        dialogue: None,
        invited: None,
    }
}

#[test]
fn answers_are_shown_in_words() {
    answers(Answer::Done, "# done\n");
    answers(Answer::Bye, "# goodbye\n");
    answers(Answer::Value("2".into()), "# 2\n");
    answers(Answer::Pong { t: None }, "# pong\n");
    answers(Answer::Joined(listed(0)), "# #lab (3), private, owner: TP\n");
    let rooms = |rooms, more| Answer::Rooms { rooms, more };
    let lab = "# #lab (3), private, owner, 7 new: TP\n";
    answers(rooms(vec![listed(7)], false), lab);
    answers(rooms(vec![listed(7)], true), &format!("{lab}# there are more: /rooms WORD\n"));
    answers(rooms(vec![], false), "# there is none: /join ROOM makes one\n");
    let by_bob = Some(InvitedBy { by: "bob".into(), at: Millis(7) });
    let invited = Listed { mine: None, invited: by_bob, ..listed(0) };
    let expect = "# #lab (3), private, you are invited by bob: TP\n";
    answers(rooms(vec![invited.clone()], false), expect);
    let public = Listed { access: Access::Public, ..invited };
    answers(rooms(vec![public], false), "# #lab (3), you are invited by bob: TP\n");
    let (user, session) = ("ana".to_owned(), "s_1".to_owned());
    let (token, cursor, rooms) = (Some(Secret("rt_secret".to_owned())), Seq(9), vec![listed(1)]);
    let expect = "# you are ana\n# #lab (3), private, owner, 1 new: TP\n";
    let wishes = Wishes::default();
    answers(Answer::LoggedIn { user, session, token, cursor, rooms, wishes }, expect);
    let member = |name: &str, role, online| (name.to_owned(), role, online);
    let members = vec![
        member("ana", Role::Owner, true),
        member("bob", Role::Member, true),
        member("eve", Role::Member, false),
    ];
    answers(Answer::Members(members), "# there: ana (owner), bob\n# not there: eve\n");
    let (user, since, online, away) = ("bob".to_owned(), Millis(0), true, Some("lunch".to_owned()));
    let expect = "# bob: away (lunch), has an account since 1970-01-01\n";
    answers(Answer::Person { user, since, online, away }, expect);
    let session = ("laptop".to_owned(), "s_1".to_owned(), Millis(0), true);
    answers(Answer::Sessions(vec![session]), "# s_1 laptop, 1970-01-01, this one\n");
    let (path, session) = (Secret("/hook/hk_a".into()), "s_1".to_owned());
    let expect = "# post {\"text\":\"…\"} to /hook/hk_a\n# /revoke s_1 ends it\n";
    answers(Answer::Hooked { path, session }, expect);
    let commands = [("/a", "one"), ("/bcd", "two")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    answers(Answer::Help(commands.to_vec()), "# /a    one\n# /bcd  two\n");
}

#[test]
fn a_page_has_numbers_and_days_and_says_where_it_goes_on() {
    let events =
        vec![message(at("bob", lab()), Kind::Text, "salut"), Event::Part(at("bob", lab()))];
    answers(
        Answer::Page { events, more: true },
        "# 2025-11-20\n10 12:31 <bob> salut\n# bob left #lab\n# there is more: /history 1 10\n",
    );
    answers(Answer::Page { events: vec![], more: false }, "# there is nothing\n");
}

#[test]
fn the_door_speaks_both_languages() {
    assert_eq!(Phrase::Password.line(Lang::Fr), "# mot de passe :\n");
    for phrase in [Phrase::Greeting, Phrase::Password, Phrase::NameStays, Phrase::Language] {
        assert!(phrase.line(Lang::En).starts_with("# ") && phrase.line(Lang::Fr).ends_with('\n'));
    }
}

proptest! {
    #[test]
    fn nothing_typed_panics(line: String, here in any::<bool>()) {
        let lab = lab();
        _ = read(&line, here.then_some(&lab));
    }

    #[test]
    fn no_command_panics(rest: String) {
        for command in commands() {
            let line = format!("/{} {rest}", command.names[0]);
            _ = read(&line, Some(&lab()));
        }
    }

    #[test]
    fn nothing_that_disturbs_is_shown(from: String, body: String) {
        let told = Told::Event(message(at(&from, lab()), Kind::Text, &body));
        let shown = show(&told, Reader::default());
        let lines: Vec<_> = shown.lines().collect();
        prop_assert!(!lines.concat().contains(relais_wire::visible::is_disturbing));
        prop_assert_eq!(shown.matches('\n').count(), body.matches('\n').count() + 1);
        prop_assert!(lines[1..].iter().all(|line| line.starts_with("      ")));
    }
}

/// The table of the reference.
fn table() -> String {
    let mut table = "| typed | does |\n|---|---|\n".to_owned();
    for (command, (line, does)) in commands().zip(help(Lang::En)) {
        let others = command.names[1..].iter().map(|name| format!(", `/{name}`"));
        let others: String = others.collect();
        table.push_str(
            &["| `", &line.replace('|', "\\|"), "`", &others, " | ", &does, " |\n"].concat(),
        );
    }
    table
}

#[test]
fn the_reference_has_every_command() {
    let page = include_str!("../../../../docs/reference/hub-protocol.md");
    assert!(page.ends_with(&table()), "expected at its end:\n{}", table());
}
