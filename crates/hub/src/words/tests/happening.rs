//! What happens, as it is shown.

use super::*;

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
    shows(Event::Redact { at: at.clone(), of, reason }, "# bob a retiré 3 : faux\n");
    let emoji = "👍".to_owned();
    shows(Event::React { at: at.clone(), of, emoji, on: false }, "# bob: -👍 3\n");
    shows(Event::React { at, of, emoji: String::new(), on: false }, "");
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
    shows(about("kick", None), "# ana a fait sortir bob (#autre) : bruit\n");
    let until = Some(Millis(1_763_641_860_000));
    let expect = "# ana a banni bob (#autre) jusqu'au 2025-11-20 12:31 : bruit\n";
    shows(about("ban", until), expect);
    for (what, expect) in [
        ("unban", "# ana no longer bans bob (#autre): bruit\n"),
        ("unmute", "# ana no longer silences bob (#autre): bruit\n"),
    ] {
        assert_eq!(shown(&Told::Event(about(what, None)), Lang::En), expect);
    }
    let keeps = |what, value| Event::Rule { at: at("ana", lab()), what, value };
    shows(keeps("slow", Some(5)), "# #lab : 5 s entre deux messages\n");
    shows(keeps("retain", Some(3)), "# #lab : les messages sont gardés 3 jours\n");
    shows(keeps("retain", Some(1)), "# #lab : les messages sont gardés 1 jour\n");
    let kept = shown(&Told::Event(keeps("retain", Some(1))), Lang::En);
    assert_eq!(kept, "# #lab: messages are kept 1 day\n");
    shows(keeps("retain", None), "# #lab : les messages sont gardés pour toujours\n");
}

#[test]
fn who_is_invited_is_told_how_to_come_in_and_how_to_decline() {
    let invites = |user: &str| {
        let (what, user) = ("invite", user.to_owned());
        let at = at("bob", Place::Room("#den".into()));
        Event::About { at, what, user, until: None, reason: None }
    };
    let expect = "# bob invited you to #den: /join #den comes in, /leave #den declines\n";
    assert_eq!(shown(&Told::Event(invites("ana")), Lang::En), expect);
    let expect =
        "# bob vous a invité dans #den : /join #den pour entrer, /leave #den pour décliner\n";
    shows(invites("ana"), expect);
    shows(invites("eve"), "# bob a invité eve (#den)\n");
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
    let set_back = "# le journal du serveur est revenu en arrière : la fin de ce qui a été dit peut y \
        manquer\n";
    shows(Event::Rewound { last: Seq(9) }, set_back);
    let lagged = Event::Lagged { room: lab(), last: Seq(9) };
    shows(lagged, "# vous lisez trop lentement pour #lab : /history\n");
    let bye = Event::Bye(Refusal::of(Code::Shutdown).retry_ms(1500));
    shows(bye, "# le serveur s'arrête : revenez dans un instant, de nouveau dans 2 s\n");
}
