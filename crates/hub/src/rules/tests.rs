//! Who may do what, told as it happens: who asks for what, and what comes of it.

mod dialogues;
mod inviting;
mod standing;

use super::*;
use crate::{
    model::{Kind, Level, SLOW_SECONDS_MAX, Said},
    name::is_same,
};

/// A hub without sockets, clock or disk.
struct World {
    state: State,
    log: Vec<Entry>,
    limits: Limits,
    now: Millis,
}

impl Past for Vec<Entry> {
    fn entry(&self, seq: Seq) -> Option<Entry> {
        self.iter().find(|entry| entry.seq == seq).cloned()
    }
}

const HOUR: u64 = 3600 * 1000;

impl World {
    /// One in which these have accounts; the first is the administrator.
    fn of(people: &[&str]) -> Self {
        let (state, now) = (State::default(), Millis(1_000_000));
        let mut world = Self { state, log: Vec::new(), limits: Limits::default(), now };
        for name in people {
            let by = AccountId(world.next());
            world.write(by, Deed::Register { name: (*name).to_owned() });
        }
        world
    }

    fn next(&self) -> Seq {
        Seq(self.state.last.0 + 1)
    }

    fn write(&mut self, by: AccountId, deed: Deed) {
        let entry = Entry { seq: self.next(), at: self.now, by, cid: None, deed };
        self.state.apply(&entry);
        self.log.push(entry);
    }

    /// Has `who` ask for something. Gives how much was written, or why nothing was.
    fn does(&mut self, who: &str, ask: &Ask) -> Result<usize, Code> {
        let by = self.state.account_named(who).expect("somebody");
        let judge = Judge {
            state: &self.state,
            past: &self.log,
            limits: &self.limits,
            by,
            now: self.now,
            next: self.next(),
        };
        let deeds = judge.judge(ask).map_err(|refusal| refusal.code)?;
        let count = deeds.len();
        for deed in deeds {
            self.write(by, deed);
        }
        Ok(count)
    }

    fn says(&mut self, who: &str, to: &str, body: &str) -> Result<usize, Code> {
        self.does(who, &say(to, body))
    }
}

fn at(text: &str) -> Place {
    Place::read(text).expect("a place")
}

fn say(to: &str, body: &str) -> Ask {
    let (to, kind, body) = (at(to), Kind::Text, body.to_owned());
    Ask::Message { to, kind, body, reply: None, cid: None }
}

fn join(room: &str) -> Ask {
    Ask::Join { room: at(room) }
}

fn create(room: &str, access: Access) -> Ask {
    Ask::Create { room: room.into(), access, topic: None }
}

fn role(room: &str, user: &str, role: Role) -> Ask {
    Ask::Role { room: at(room), user: user.into(), role }
}

fn kick(room: &str, user: &str) -> Ask {
    Ask::Kick { room: at(room), user: user.into(), reason: None }
}

fn ban(room: &str, user: &str, seconds: Option<u64>) -> Ask {
    Ask::Ban { room: at(room), user: user.into(), seconds, reason: None }
}

fn mute(room: &str, user: &str, on: bool) -> Ask {
    Ask::Mute { room: at(room), user: user.into(), on, seconds: None }
}

fn edit(room: &str, seq: u64) -> Ask {
    Ask::Edit { room: at(room), seq: Seq(seq), body: "otherwise".into(), cid: None }
}

fn redact(room: &str, seq: u64) -> Ask {
    Ask::Redact { room: at(room), seq: Seq(seq), reason: None, cid: None }
}

#[test]
fn a_room_is_made_by_who_comes_first() {
    let mut world = World::of(&["root", "ana", "bob"]);
    assert_eq!(world.says("ana", "#lab", "hi"), Err(Code::NoSuchRoom));
    assert_eq!(world.does("ana", &join("#lab")), Ok(1));
    assert_eq!(world.does("ana", &join("#LAB")), Ok(0));
    assert_eq!(world.says("bob", "#lab", "hi"), Err(Code::NotInRoom));
    assert_eq!(world.does("bob", &join("#lab")), Ok(1));
    assert_eq!(world.says("bob", "#lab", "hi"), Ok(1));
    let room = world.state.room(world.state.room_named("#lab").unwrap());
    let roles: Vec<_> = room.members.values().map(|member| member.role).collect();
    assert_eq!(roles, [Role::Owner, Role::Member]);
    assert_eq!(world.does("bob", &create("#lab", Access::Public)), Err(Code::NameTaken));
    assert_eq!(world.does("bob", &Ask::Part { room: at("#lab") }), Ok(1));
    assert_eq!(world.says("bob", "#lab", "hi"), Err(Code::NotInRoom));
}

#[test]
fn nobody_knows_of_a_private_room_who_was_not_asked_in() {
    let mut world = World::of(&["root", "ana", "bob"]);
    world.does("ana", &create("#secret", Access::Private)).unwrap();
    for ask in [join("#secret"), say("#secret", "hi"), Ask::Part { room: at("#secret") }] {
        assert_eq!(world.does("bob", &ask), Err(Code::NoSuchRoom), "{ask:?}");
    }
    // Its name is taken, as that of any room, of which nothing else is told.
    world.does("ana", &create("#known", Access::Public)).unwrap();
    for room in ["#secret", "#SECRET", "#known"] {
        for access in [Access::Private, Access::Public] {
            let taken = world.does("bob", &create(room, access));
            assert_eq!(taken, Err(Code::NameTaken), "{room}");
        }
    }
    for (room, like, access) in
        [("#memo", "#rnemo", Access::Private), ("#mama", "#rnama", Access::Public)]
    {
        world.does("ana", &create(room, access)).unwrap();
        let taken = world.does("bob", &create(like, Access::Public));
        assert_eq!(taken, Err(Code::NameConfusable), "{like}");
    }
    let invite = Ask::Invite { room: at("#secret"), user: "bob".into() };
    assert_eq!(world.does("bob", &invite), Err(Code::NoSuchRoom));
    assert_eq!(world.does("ana", &invite), Ok(1));
    assert_eq!(world.does("bob", &join("#secret")), Ok(1));
    assert_eq!(world.does("ana", &invite), Ok(0));
    // Once out, it takes another invitation.
    assert_eq!(world.does("ana", &kick("#secret", "bob")), Ok(1));
    assert_eq!(world.does("bob", &join("#secret")), Err(Code::NoSuchRoom));
}

#[test]
fn two_speak_with_each_other_and_nobody_else_hears() {
    let mut world = World::of(&["root", "ana", "bob", "eve"]);
    assert_eq!(world.says("ana", "@bob", "salut"), Ok(2));
    assert_eq!(world.says("bob", "@Ana", "salut"), Ok(1));
    assert_eq!(world.says("ana", "@nobody", "salut"), Err(Code::NoSuchUser));
    let seq = world.state.last.0;
    assert_eq!(world.does("eve", &edit("@bob", seq)), Err(Code::NoSuchRoom));
    for ask in [Ask::Part { room: at("@bob") }, kick("@bob", "bob"), ban("@bob", "bob", None)] {
        assert_eq!(world.does("ana", &ask), Err(Code::Forbidden), "{ask:?}");
    }
    assert_eq!(world.does("ana", &join("@bob")), Ok(0));
    assert_eq!(
        [world.does("ana", &join("@eve")), world.does("eve", &join("@ana"))],
        [Ok(1), Ok(0)]
    );
    assert_eq!(world.does("ana", &join("@nobody")), Err(Code::NoSuchUser));
}

#[test]
fn who_may_more_sends_out_who_may_less() {
    let mut world = World::of(&["root", "ana", "bob", "eve", "joe"]);
    for who in ["ana", "bob", "eve", "joe"] {
        world.does(who, &join("#lab")).unwrap();
    }
    assert_eq!(world.does("bob", &kick("#lab", "eve")), Err(Code::Forbidden));
    assert_eq!(world.does("bob", &role("#lab", "bob", Role::Owner)), Err(Code::Forbidden));
    assert_eq!(world.does("ana", &role("#lab", "bob", Role::Moderator)), Ok(1));
    assert_eq!(world.does("ana", &role("#lab", "bob", Role::Moderator)), Ok(0));
    assert_eq!(world.does("bob", &kick("#lab", "ana")), Err(Code::Forbidden));
    assert_eq!(world.does("bob", &kick("#lab", "eve")), Ok(1));
    assert_eq!(world.does("bob", &kick("#lab", "eve")), Err(Code::NotInRoom));
    assert_eq!(world.does("eve", &join("#lab")), Ok(1));
    // The administrator, who is not even in it.
    assert_eq!(world.does("root", &kick("#lab", "ana")), Ok(1));
    assert_eq!(world.does("root", &kick("#lab", "root")), Err(Code::NotInRoom));
}

#[test]
fn who_is_banned_stays_out_for_as_long() {
    let mut world = World::of(&["root", "ana", "bob"]);
    for who in ["ana", "bob"] {
        world.does(who, &join("#lab")).unwrap();
    }
    assert_eq!(world.does("ana", &ban("#lab", "bob", Some(3600))), Ok(1));
    assert_eq!(world.says("bob", "#lab", "hi"), Err(Code::NotInRoom));
    assert_eq!(world.does("bob", &join("#lab")), Err(Code::Banned));
    world.now.0 += HOUR;
    assert_eq!(world.does("bob", &join("#lab")), Ok(1));
    assert_eq!(world.does("ana", &ban("#lab", "bob", None)), Ok(1));
    world.now.0 += 1000 * HOUR;
    assert_eq!(world.does("bob", &join("#lab")), Err(Code::Banned));
    let unban = Ask::Unban { room: at("#lab"), user: "bob".into() };
    assert_eq!([world.does("ana", &unban), world.does("ana", &unban)], [Ok(1), Ok(0)]);
    assert_eq!(world.does("bob", &join("#lab")), Ok(1));
}

#[test]
fn who_is_muted_hears_and_says_nothing() {
    let mut world = World::of(&["root", "ana", "bob"]);
    for who in ["ana", "bob"] {
        world.does(who, &join("#lab")).unwrap();
    }
    assert_eq!(world.says("bob", "#lab", "hi"), Ok(1));
    let said = world.state.last.0;
    assert_eq!(world.does("ana", &mute("#lab", "bob", true)), Ok(1));
    for ask in [say("#lab", "hi"), edit("#lab", said)] {
        assert_eq!(world.does("bob", &ask), Err(Code::Muted), "{ask:?}");
    }
    assert_eq!(world.does("ana", &mute("#lab", "bob", false)), Ok(1));
    assert_eq!(world.says("bob", "#lab", "hi"), Ok(1));
}

#[test]
fn in_a_slow_room_members_wait_and_moderators_do_not() {
    let mut world = World::of(&["root", "ana", "bob"]);
    for who in ["ana", "bob"] {
        world.does(who, &join("#lab")).unwrap();
    }
    world.does("ana", &Ask::Slow { room: at("#lab"), seconds: 10 }).unwrap();
    assert_eq!(world.says("bob", "#lab", "one"), Ok(1));
    assert_eq!(world.says("bob", "#lab", "two"), Err(Code::RateLimited));
    assert_eq!([world.says("ana", "#lab", "a"), world.says("ana", "#lab", "b")], [Ok(1), Ok(1)]);
    world.now.0 += 10_000;
    assert_eq!(world.says("bob", "#lab", "two"), Ok(1));
}

#[test]
fn what_was_said_is_edited_by_who_said_it_and_taken_out_by_moderators_too() {
    let mut world = World::of(&["root", "ana", "bob", "eve"]);
    for who in ["ana", "bob", "eve"] {
        world.does(who, &join("#lab")).unwrap();
    }
    world.says("bob", "#lab", "hi").unwrap();
    let said = world.state.last.0;
    assert_eq!(world.does("bob", &edit("#lab", said)), Ok(1));
    let edited = world.state.last.0;
    assert_eq!(world.does("ana", &edit("#lab", said)), Err(Code::Forbidden));
    assert_eq!(world.does("bob", &edit("#lab", edited)), Err(Code::NoSuchEvent));
    assert_eq!(world.does("bob", &edit("#lab", 1)), Err(Code::NoSuchEvent));
    assert_eq!(world.does("eve", &redact("#lab", said)), Err(Code::Forbidden));
    assert_eq!(world.does("ana", &redact("#lab", said)), Ok(1));
    world.now.0 += world.limits.edit_ms_max + 1;
    assert_eq!(world.does("bob", &edit("#lab", said)), Err(Code::EditTooLate));
    // Of another room.
    world.does("bob", &join("#other")).unwrap();
    assert_eq!(world.does("bob", &redact("#other", said)), Err(Code::NoSuchEvent));
}

#[test]
fn what_was_read_is_only_ever_more() {
    let mut world = World::of(&["root", "ana"]);
    world.does("ana", &join("#lab")).unwrap();
    world.says("ana", "#lab", "hi").unwrap();
    let last = world.state.last;
    let read = |seq| Ask::Read { room: at("#lab"), seq };
    assert_eq!(world.does("ana", &read(Seq(u64::MAX))), Ok(1));
    assert_eq!(world.does("ana", &read(last)), Ok(0));
    assert_eq!(world.does("ana", &read(Seq(1))), Ok(0));
}

fn notify(room: &str, level: Level) -> Ask {
    Ask::Notify { room: at(room), level }
}

fn keywords(words: &[&str]) -> Ask {
    Ask::Keywords { words: words.iter().map(|word| (*word).to_owned()).collect() }
}

#[test]
fn what_is_to_be_noticed_is_written_where_it_is_new() {
    let mut world = World::of(&["root", "ana", "bob"]);
    world.does("ana", &join("#lab")).unwrap();
    for (ask, expect) in [
        (notify("#lab", Level::Mentions), Ok(0)),
        (notify("#lab", Level::Nothing), Ok(1)),
        (notify("#lab", Level::Nothing), Ok(0)),
        (notify("#lab", Level::All), Ok(1)),
        (notify("#none", Level::All), Err(Code::NoSuchRoom)),
        (notify("@bob", Level::All), Err(Code::NoSuchRoom)),
        (Ask::Quiet { on: false, seconds: None }, Ok(0)),
        (Ask::Quiet { on: true, seconds: None }, Ok(1)),
        (Ask::Quiet { on: true, seconds: None }, Ok(0)),
        (Ask::Quiet { on: true, seconds: Some(u64::MAX) }, Ok(1)),
        (Ask::Quiet { on: false, seconds: None }, Ok(1)),
        (keywords(&[]), Ok(0)),
        (keywords(&["Tea", "été"]), Ok(1)),
        (keywords(&["ÉTÉ", "tea", "TEA"]), Ok(0)),
        (keywords(&[]), Ok(1)),
    ] {
        assert_eq!(world.does("ana", &ask), expect, "{ask:?}");
    }
    assert_eq!(world.does("bob", &notify("#lab", Level::All)), Err(Code::NotInRoom));
}

#[test]
fn a_word_to_look_out_for_is_one_of_some_letters_and_there_are_few() {
    let mut world = World::of(&["root"]);
    let long = "x".repeat(32);
    assert_eq!(world.does("root", &keywords(&["ab", &long, "a_1"])), Ok(1));
    for word in ["", "a", "two words", "c++", "a-b", "@ana", "a\n", &"x".repeat(33)] {
        assert_eq!(world.does("root", &keywords(&[word])), Err(Code::BadField), "{word:?}");
    }
    let many: Vec<_> = (0..=world.limits.keywords_max).map(|n| format!("w{n}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    assert_eq!(world.does("root", &keywords(&many)), Err(Code::TooMany));
    assert_eq!(world.does("root", &keywords(&many[1..])), Ok(1));
}

#[test]
fn every_limit_is_reached() {
    let mut world = World::of(&["root", "ana", "bob"]);
    world.limits = Limits { members_max: 1, rooms_an_account_max: 2, ..Limits::default() };
    world.does("ana", &join("#lab")).unwrap();
    assert_eq!(world.does("bob", &join("#lab")), Err(Code::RoomFull));
    world.does("ana", &join("#other")).unwrap();
    assert_eq!(world.does("ana", &join("#third")), Err(Code::TooMany));
    // Whoever writes to her.
    assert_eq!([world.says("bob", "@ana", "hi"), world.says("root", "@ana", "hi")], [Ok(2), Ok(2)]);
    world.does("ana", &Ask::Part { room: at("#other") }).unwrap();
    assert_eq!(world.does("ana", &join("#third")), Ok(1));
    world.limits.talks_an_account_max = 1;
    assert_eq!(world.says("bob", "@root", "hi"), Err(Code::TooMany));
    assert_eq!(world.says("bob", "@ana", "\u{200d}\u{200d}"), Err(Code::BadField));
    let long = "x".repeat(world.limits.body_bytes_max + 1);
    assert_eq!(world.says("ana", "#lab", &long), Err(Code::TooLong));
    let lines = "x\n".repeat(world.limits.body_lines_max + 1);
    assert_eq!(world.says("ana", "#lab", &lines), Err(Code::TooLong));
    assert_eq!(world.says("ana", "#lab", " \n\t"), Err(Code::BadField));
    let topic = "x".repeat(world.limits.topic_bytes_max + 1);
    let topic = Ask::Topic { room: at("#lab"), topic };
    assert_eq!(world.does("ana", &topic), Err(Code::TooLong));
    let sign = |emoji: &str| Ask::React {
        room: at("#lab"),
        seq: Seq(1),
        emoji: emoji.into(),
        on: true,
        cid: None,
    };
    assert_eq!(world.does("ana", &sign("👍")), Err(Code::NoSuchEvent));
    assert!(is_same("Ana", "ana"));
}

#[test]
fn what_is_asked_twice_is_known_by_what_it_says() {
    let mut world = World::of(&["root", "ana", "bob"]);
    world.does("ana", &join("#lab")).unwrap();
    world.says("ana", "#lab", "hi").unwrap();
    let deed = world.log.last().unwrap().deed.clone();
    let judge = Judge {
        state: &world.state,
        past: &world.log,
        limits: &world.limits,
        by: world.state.account_named("ana").unwrap(),
        now: world.now,
        next: world.next(),
    };
    assert!(judge.is_the_same(&deed, &say("#lab", "hi")));
    for other in [say("#lab", "ho"), say("@bob", "hi"), join("#lab"), edit("#lab", 5)] {
        assert!(!judge.is_the_same(&deed, &other), "{other:?}");
    }
}

#[test]
fn what_becomes_of_what_was_said_is_known_by_all_of_it() {
    let mut world = World::of(&["root", "ana"]);
    world.does("ana", &join("#lab")).unwrap();
    world.says("ana", "#lab", "hi").unwrap();
    let of = world.log.last().unwrap().seq;
    let edit = |body: &str| Ask::Edit { room: at("#lab"), seq: of, body: body.into(), cid: None };
    let react = |emoji: &str, on| {
        let (room, emoji) = (at("#lab"), emoji.into());
        Ask::React { room, seq: of, emoji, on, cid: None }
    };
    let takes_out = |reason: Option<&str>| {
        let reason = reason.map(str::to_owned);
        Ask::Redact { room: at("#lab"), seq: of, reason, cid: None }
    };
    let asks = [
        edit("ho"),
        edit("ha"),
        react("+1", true),
        react("-1", true),
        react("+1", false),
        takes_out(None),
        takes_out(Some("so")),
    ];
    for (number, ask) in asks.iter().enumerate() {
        world.does("ana", ask).unwrap();
        let deed = world.log.last().unwrap().deed.clone();
        let (state, past, limits) = (&world.state, &world.log, &world.limits);
        let by = state.account_named("ana").unwrap();
        let judge = Judge { state, past, limits, by, now: world.now, next: world.next() };
        for (other, asked) in asks.iter().enumerate() {
            assert_eq!(judge.is_the_same(&deed, asked), number == other, "{asked:?}");
        }
    }
}

#[test]
fn what_went_with_who_said_it_is_not_taken_out_again() {
    let mut world = World::of(&["root", "ana"]);
    for name in ["ana", "root"] {
        world.does(name, &join("#lab")).unwrap();
    }
    world.says("ana", "#lab", "hi").unwrap();
    let (of, ana) = (world.log.last().unwrap().seq, world.state.account_named("ana").unwrap());
    // Its words are still in the log: they are taken out in pieces, later.
    world.write(ana, Deed::Unregister { who: ana, said: Said::Goes });
    let written = world.log.len();
    let redact = Ask::Redact { room: at("#lab"), seq: of, reason: None, cid: None };
    world.does("root", &redact).unwrap();
    assert_eq!(world.log.len(), written);
}

#[test]
fn a_mute_ends_to_the_millisecond() {
    let mut world = World::of(&["root", "ana", "bob"]);
    for who in ["ana", "bob"] {
        world.does(who, &join("#lab")).unwrap();
    }
    let seconds = Some(2);
    let mute = Ask::Mute { room: at("#lab"), user: "bob".into(), on: true, seconds };
    assert_eq!(world.does("ana", &mute), Ok(1));
    world.now.0 += 1999;
    assert_eq!(world.says("bob", "#lab", "hi"), Err(Code::Muted));
    world.now.0 += 1;
    assert_eq!(world.says("bob", "#lab", "hi"), Ok(1));
}

#[test]
fn a_room_is_not_left_without_an_owner_by_who_steps_down() {
    let mut world = World::of(&["adm", "ana", "bob"]);
    world.does("ana", &create("#den", Access::Public)).unwrap();
    world.does("bob", &join("#den")).unwrap();
    for role_then in [Role::Member, Role::Moderator] {
        let refused = world.does("ana", &role("#den", "ana", role_then));
        assert_eq!(refused, Err(Code::Forbidden), "{role_then:?}");
    }
    world.does("ana", &role("#den", "bob", Role::Owner)).unwrap();
    world.does("ana", &role("#den", "ana", Role::Member)).unwrap();
    assert_eq!(world.does("bob", &role("#den", "bob", Role::Member)), Err(Code::Forbidden));
}

#[test]
fn who_owns_a_private_room_and_left_it_may_come_back() {
    let mut world = World::of(&["root", "ana", "bob", "cleo"]);
    world.does("ana", &create("#den", Access::Private)).unwrap();
    let part = Ask::Part { room: at("#den") };
    for user in ["bob", "cleo"] {
        world.does("ana", &Ask::Invite { room: at("#den"), user: user.into() }).unwrap();
        world.does(user, &join("#den")).unwrap();
    }
    world.does("ana", &role("#den", "bob", Role::Moderator)).unwrap();
    for user in ["ana", "bob", "cleo"] {
        assert_eq!(world.does(user, &part), Ok(1));
    }
    assert_eq!(world.does("ana", &join("#den")), Ok(2), "as its owner");
    for user in ["bob", "cleo"] {
        assert_eq!(world.does(user, &join("#den")), Err(Code::NoSuchRoom), "{user}");
    }
    // Who is sent away by who administers the hub owns nothing there any more.
    world.does("ana", &Ask::Invite { room: at("#den"), user: "root".into() }).unwrap();
    world.does("root", &join("#den")).unwrap();
    assert_eq!(world.does("root", &kick("#den", "ana")), Ok(1));
    assert_eq!(world.does("ana", &join("#den")), Err(Code::NoSuchRoom));
}

#[test]
fn a_ban_takes_the_invitation_back() {
    let mut world = World::of(&["root", "ana", "bob"]);
    world.does("ana", &create("#den", Access::Private)).unwrap();
    let invite = Ask::Invite { room: at("#den"), user: "bob".into() };
    assert_eq!(world.does("ana", &invite), Ok(1));
    assert_eq!(world.does("ana", &ban("#den", "bob", None)), Ok(1));
    let unban = Ask::Unban { room: at("#den"), user: "bob".into() };
    assert_eq!(world.does("ana", &unban), Ok(1));
    assert_eq!(world.does("bob", &join("#den")), Err(Code::NoSuchRoom));
}

#[test]
fn nobody_speaks_with_themselves() {
    let mut world = World::of(&["root", "ana"]);
    assert_eq!(world.says("ana", "@Ana", "hi"), Err(Code::BadField));
    assert_eq!(world.does("ana", &join("@ana")), Err(Code::BadField));
}
