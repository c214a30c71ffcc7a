//! What something comes to, as it is shown.

use super::*;

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
    let bare = |room| Listed { room, topic: String::new(), ..listed(0) };
    let (here, tea) = (bare(listed(0).room), bare(Place::Room("#tea".into())));
    let expect = "# #lab (3), private, owner\n# #lab has no topic\n";
    answers(rooms(vec![here.clone()], false), expect);
    let expect = "# #lab (3), private, owner\n# #tea (3), private, owner\n";
    answers(rooms(vec![here.clone(), tea.clone()], false), expect);
    answers(rooms(vec![tea], false), "# #tea (3), private, owner\n");
    answers(Answer::Joined(here), "# #lab (3), private, owner\n");
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
    let there = "# there: ana (owner), bob\n# not there: eve\n";
    answers(Answer::Members { members: members.clone(), more: false }, there);
    answers(Answer::Members { members, more: true }, &format!("{there}# and others\n"));
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
    let long = format!("/{}", "é".repeat(32));
    let commands = [("/a", "one"), (&*long, "two")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    let column = " ".repeat(32);
    let expect = format!("# /a{}  one\n# {long}\n# {column}  two\n", &column[2..]);
    answers(Answer::Help(commands.to_vec()), &expect);
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
    for phrase in
        [Phrase::Greeting, Phrase::Password, Phrase::NameStays, Phrase::Language, Phrase::NoDisk]
    {
        assert!(phrase.line(Lang::En).starts_with("# ") && phrase.line(Lang::Fr).ends_with('\n'));
    }
}
