//! What typed lines ask for.

use super::*;

#[test]
fn a_plain_line_is_said_where_it_is_typed() {
    asks("salut tout le monde\r\n", say(lab(), Kind::Text, "salut tout le monde"));
    asks("  deux  ", say(lab(), Kind::Text, "  deux  "));
    asks("//etc/hosts", say(lab(), Kind::Text, "/etc/hosts"));
    asks("fin de partie", say(lab(), Kind::Text, "fin de partie"));
    is_wrong("salut", Code::NotInRoom, "");
}

#[test]
fn a_command_is_one_behind_blanks_and_keys_too() {
    let calc = || Ask::Calc { expr: "1+1".into() };
    for before in [" ", "\t ", "\u{a0}", "\u{c}", "\u{1b}[A", "\u{1b}", "\u{feff}", " \u{200b}"] {
        asks(&format!("{before}/calc 1+1"), calc());
    }
    let (old, new) = (Secret("OLD".into()), Secret("NEW".into()));
    asks(" \u{1b}[H/password OLD NEW", Ask::Password { old, new });
    asks(" //etc", say(lab(), Kind::Text, " //etc"));
    asks("sal\u{1b}[Dut", say(lab(), Kind::Text, "salut"));
    assert_eq!(read("\u{1b}[A", None), Line::Nothing);
    assert_eq!(read_at(" /quit", &Stand::InDialogue(lab())), Line::End);
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
    asks("/register ana ri_none a b", invited(Some("ri_none"), "a b"));
    asks("/register ana a ri_none", invited(None, "a ri_none"));
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
    asks("/ban bob dit 10 fois", ban(None, Some("dit 10 fois")));
    let (user, on, seconds) = ("bob".to_owned(), true, Some(7200));
    asks("/mute bob 2h", Ask::Mute { room: lab(), user, on, seconds });
    for time in ["7x", "10 fois", "7"] {
        let Line::Wrong(misuse) = read(&format!("/ban bob {time}"), Some(&lab())) else {
            panic!("{time} is a time");
        };
        assert!(misuse.sentence(Lang::En).contains(" is not a time, such as 30s, "), "{time}");
    }
    for time in ["soon", "1", "é", "18446744073709551615d"] {
        let Line::Wrong(misuse) = read(&format!("/mute bob {time}"), Some(&lab())) else {
            panic!("{time} is a time");
        };
        let expect = format!("{time:?} is not a time, such as 30s, 10m, 2h or 7d: ");
        assert!(misuse.sentence(Lang::En).starts_with(&expect), "{time}");
    }
}

#[test]
fn how_long_messages_are_kept_is_changed_by_who_says_how_long() {
    let retain = |days| Ask::Retain { room: lab(), days };
    asks("/keep 1", retain(Some(1)));
    asks("/keep forever", retain(None));
    asks("/keep toujours", retain(None));
    for (line, expect) in [
        ("/keep", "DAYS|forever is missing: /keep DAYS|forever, as in /keep 90"),
        (
            "/keep 0",
            "\"0\" is not a number of days, 1 or more, or forever: /keep DAYS|forever, as in /keep 90",
        ),
    ] {
        let Line::Wrong(misuse) = read(line, Some(&lab())) else { panic!("{line} is done") };
        assert_eq!(misuse.sentence(Lang::En), expect);
    }
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
        ("/notify", Ask::Wishes { room: Some(lab()) }),
        ("/mots", Ask::Wishes { room: Some(lab()) }),
        ("/quiet", Ask::Wishes { room: Some(lab()) }),
        ("/quiet on", Ask::Quiet { on: true, seconds: None }),
        ("/quiet 2h", Ask::Quiet { on: true, seconds: Some(7200) }),
        ("/silence off", Ask::Quiet { on: false, seconds: None }),
    ] {
        asks(line, expect);
    }
    is_wrong("/notify all", Code::NotInRoom, "");
    assert_eq!(read("/keywords", None), Line::Ask(Ask::Wishes { room: None }));
    is_wrong("/notify", Code::NotInRoom, "");
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
