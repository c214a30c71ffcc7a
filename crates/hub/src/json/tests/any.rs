//! Whatever clients may ask and be told.

use proptest::{
    collection::vec,
    option::of,
    prelude::*,
    sample::{select, subsequence},
};

use crate::{
    model::{Access, Cid, Kind, Level, Millis, Mode, Quiet, Role, Said, Seq, Why, Wishes, Words},
    protocol::{
        Answer, Ask, Code, Event, EventsBy, Gap, Held, InvitedBy, Listed, Page, Place, Proof,
        Refusal, Request, Resume, Secret, Ticket, Told, Where,
    },
};

/// One that is told in tests.
pub(super) fn place_in_log() -> Where {
    Where {
        room: Place::Room("#lab".into()),
        seq: Seq(10),
        prev: Seq(7),
        at: Millis(1_763_665_203_511),
        from: "ana".into(),
        cid: Cid::new("c"),
    }
}

pub(super) fn request() -> BoxedStrategy<Request> {
    (of(any::<u64>()), ask()).prop_map(|(id, ask)| Request { id, ask }).boxed()
}

fn seq() -> BoxedStrategy<Seq> {
    any::<u64>().prop_map(Seq).boxed()
}

fn millis() -> BoxedStrategy<Millis> {
    (0..253_402_300_800_000_u64).prop_map(Millis).boxed()
}

fn place() -> BoxedStrategy<Place> {
    prop_oneof!["#.{0,8}".prop_map(Place::Room), any::<String>().prop_map(Place::Person),].boxed()
}

fn cid() -> BoxedStrategy<Option<Cid>> {
    of("[A-Za-z0-9_-]{1,64}".prop_map(|text| Cid::new(&text).unwrap())).boxed()
}

fn secret() -> BoxedStrategy<Secret> {
    any::<String>().prop_map(Secret).boxed()
}

fn text() -> BoxedStrategy<Option<String>> {
    of(any::<String>()).boxed()
}

fn kind() -> BoxedStrategy<Kind> {
    select(vec![Kind::Text, Kind::Action, Kind::Notice]).boxed()
}

fn role() -> BoxedStrategy<Role> {
    select(vec![Role::Member, Role::Moderator, Role::Owner]).boxed()
}

fn mode() -> BoxedStrategy<Mode> {
    select(vec![Mode::Turns, Mode::Free]).boxed()
}

fn level() -> BoxedStrategy<Level> {
    select(vec![Level::All, Level::Mentions, Level::Nothing]).boxed()
}

fn why() -> BoxedStrategy<Option<Why>> {
    of(select(vec![Why::Mention, Why::Direct, Why::Keyword, Why::Room])).boxed()
}

fn words() -> BoxedStrategy<Words> {
    vec("[a-zé0-9_]{2,8}", 0..4).prop_map(Words::from_iter).boxed()
}

fn quiet() -> BoxedStrategy<Quiet> {
    let until = millis().prop_map(Quiet::Until);
    prop_oneof![Just(Quiet::Off), Just(Quiet::On), until].boxed()
}

fn access() -> BoxedStrategy<Access> {
    select(vec![Access::Public, Access::Private]).boxed()
}

fn resume() -> BoxedStrategy<Resume> {
    // No room twice.
    let places = ["#a", "#b", "@a", "@b"].map(|text| Place::read(text).unwrap()).to_vec();
    let rooms = (subsequence(places, 0..4), any::<u64>());
    prop_oneof![
        seq().prop_map(Resume::Since),
        rooms.prop_map(|(rooms, seq)| {
            Resume::Rooms(rooms.into_iter().map(|room| (room, Seq(seq))).collect())
        }),
    ]
    .boxed()
}

fn page() -> BoxedStrategy<Page> {
    prop_oneof![
        Just(Page::Latest),
        seq().prop_map(Page::Before),
        seq().prop_map(Page::After),
        seq().prop_map(Page::Around),
        (seq(), seq()).prop_map(|(from, to)| Page::Between(from, to)),
    ]
    .boxed()
}

fn ask() -> BoxedStrategy<Ask> {
    prop_oneof![of_who_asks(), of_what_is_said(), of_rooms(), of_people()].boxed()
}

fn of_who_asks() -> BoxedStrategy<Ask> {
    let proof = prop_oneof![
        (any::<String>(), secret()).prop_map(|(user, password)| Proof::Password { user, password }),
        secret().prop_map(Proof::Token),
        Just(Proof::External),
    ];
    prop_oneof![
        (of(any::<u64>()), text(), text()).prop_map(|(proto, client, lang)| Ask::Hello {
            proto,
            client,
            lang
        }),
        (any::<String>(), secret(), of(secret()), text()).prop_map(
            |(user, password, invitation, device)| {
                Ask::Register { user, password, invitation, device }
            }
        ),
        (proof, text(), of(resume())).prop_map(|(proof, device, resume)| Ask::Login {
            proof,
            device,
            resume
        }),
        any::<bool>().prop_map(|all| Ask::Logout { all }),
        (secret(), secret()).prop_map(|(old, new)| Ask::Password { old, new }),
        (secret(), select(vec![Said::Stays, Said::Goes]))
            .prop_map(|(password, said)| Ask::Unregister { password, said }),
        resume().prop_map(Ask::Resume),
        text().prop_map(|text| Ask::Away { text }),
        Just(Ask::Sessions),
        of(seq()).prop_map(|after| Ask::Export { after }),
        select(vec![EventsBy::Here, EventsBy::Udp]).prop_map(|events| Ask::Udp { events }),
        any::<String>().prop_map(|session| Ask::Revoke { session }),
        (place(), any::<String>()).prop_map(|(room, name)| Ask::Hook { room, name }),
        any::<String>().prop_map(|name| Ask::Certify { name }),
        of(any::<u64>()).prop_map(|t| Ask::Ping { t }),
        Just(Ask::Help),
        text().prop_map(|reason| Ask::Bye { reason }),
        any::<String>().prop_map(|expr| Ask::Calc { expr }),
    ]
    .boxed()
}

fn of_what_is_said() -> BoxedStrategy<Ask> {
    prop_oneof![
        (place(), kind(), any::<String>(), of(seq()), cid())
            .prop_map(|(to, kind, body, reply, cid)| Ask::Message { to, kind, body, reply, cid }),
        any::<String>().prop_map(|body| Ask::Announce { body }),
        (place(), seq(), any::<String>(), cid()).prop_map(|(room, seq, body, cid)| Ask::Edit {
            room,
            seq,
            body,
            cid
        }),
        (place(), seq(), text(), cid()).prop_map(|(room, seq, reason, cid)| Ask::Redact {
            room,
            seq,
            reason,
            cid
        }),
        (place(), seq(), any::<String>(), any::<bool>(), cid())
            .prop_map(|(room, seq, emoji, on, cid)| Ask::React { room, seq, emoji, on, cid }),
        (place(), seq()).prop_map(|(room, seq)| Ask::Read { room, seq }),
        (place(), any::<bool>()).prop_map(|(room, on)| Ask::Typing { room, on }),
        (place(), page(), of(any::<usize>()), of(any::<usize>()))
            .prop_map(|(room, page, limit, messages)| Ask::History { room, page, limit, messages }),
        (any::<String>(), of(place()), text(), of(any::<usize>()))
            .prop_map(|(words, room, from, limit)| Ask::Search { words, room, from, limit }),
    ]
    .boxed()
}

fn of_rooms() -> BoxedStrategy<Ask> {
    prop_oneof![
        place().prop_map(|room| Ask::Join { room }),
        place().prop_map(|room| Ask::Part { room }),
        (any::<String>(), access(), text()).prop_map(|(room, access, topic)| Ask::Create {
            room,
            access,
            topic
        }),
        (place(), any::<String>()).prop_map(|(room, topic)| Ask::Topic { room, topic }),
        (place(), any::<u32>()).prop_map(|(room, seconds)| Ask::Slow { room, seconds }),
        (place(), of(any::<u32>())).prop_map(|(room, days)| Ask::Retain { room, days }),
        ("[a-z]{1,8}", of(mode())).prop_map(|(with, mode)| Ask::Dialogue { with, mode }),
        (place(), level()).prop_map(|(room, level)| Ask::Notify { room, level }),
        vec(any::<String>(), 0..3).prop_map(|words| Ask::Keywords { words }),
        (any::<bool>(), of(any::<u64>())).prop_map(|(on, seconds)| Ask::Quiet { on, seconds }),
        of(place()).prop_map(|room| Ask::Wishes { room }),
        text().prop_map(|matching| Ask::Rooms { matching }),
        place().prop_map(|room| Ask::Who { room }),
    ]
    .boxed()
}

fn of_people() -> BoxedStrategy<Ask> {
    prop_oneof![
        (place(), any::<String>()).prop_map(|(room, user)| Ask::Invite { room, user }),
        (place(), any::<String>()).prop_map(|(room, user)| Ask::Unban { room, user }),
        (place(), any::<String>(), role()).prop_map(|(room, user, role)| Ask::Role {
            room,
            user,
            role
        }),
        (place(), any::<String>(), text()).prop_map(|(room, user, reason)| Ask::Kick {
            room,
            user,
            reason
        }),
        (place(), any::<String>(), of(any::<u64>()), text())
            .prop_map(|(room, user, seconds, reason)| Ask::Ban { room, user, seconds, reason }),
        (place(), any::<String>(), any::<bool>(), of(any::<u64>()))
            .prop_map(|(room, user, on, seconds)| Ask::Mute { room, user, on, seconds }),
        any::<String>().prop_map(|user| Ask::Whois { user }),
    ]
    .boxed()
}

pub(super) fn told() -> BoxedStrategy<Told> {
    let answer = prop_oneof![4 => answer().prop_map(Ok), 1 => refusal().prop_map(Err)];
    prop_oneof![
        (of(any::<u64>()), answer).prop_map(|(re, answer)| Told::Answer { re, answer }),
        event().prop_map(Told::Event),
    ]
    .boxed()
}

fn refusal() -> BoxedStrategy<Refusal> {
    let field = of(select(vec!["body", "room", "password"]));
    (select(Code::ALL.to_vec()), any::<String>(), field, of(any::<u64>()))
        .prop_map(|(code, why, field, retry_ms)| Refusal { code, why, field, retry_ms })
        .boxed()
}

fn answer() -> BoxedStrategy<Answer> {
    let text = any::<String>;
    let hello = (text(), select(vec!["open", "invitation", "closed"]), millis(), any::<bool>());
    prop_oneof![
        Just(Answer::Done),
        Just(Answer::Bye),
        (hello, any::<usize>(), any::<usize>(), any::<bool>()).prop_map(
            |((server, register, time, tls), frame, body, external)| {
                Answer::Hello { server, register, frame, body, time, tls, external }
            }
        ),
        (text(), text(), of(secret()), seq(), vec(listed(), 0..3), (words(), quiet())).prop_map(
            |(user, session, token, cursor, rooms, (words, quiet))| {
                let wishes = Wishes { words, quiet };
                Answer::LoggedIn { user, session, token, cursor, rooms, wishes }
            }
        ),
        (seq(), millis(), any::<bool>()).prop_map(|(seq, at, dup)| Answer::Written {
            seq,
            at,
            dup
        }),
        listed().prop_map(Answer::Joined),
        (vec(event(), 0..3), any::<bool>())
            .prop_map(|(events, more)| Answer::Page { events, more }),
        (vec(event(), 0..3), seq(), any::<bool>())
            .prop_map(|(events, upto, more)| Answer::Exported { events, upto, more }),
        (vec(listed(), 0..3), any::<bool>())
            .prop_map(|(rooms, more)| Answer::Rooms { rooms, more }),
        (vec((text(), role(), any::<bool>()), 0..3), any::<bool>())
            .prop_map(|(members, more)| Answer::Members { members, more }),
        (text(), millis(), any::<bool>(), of(text()))
            .prop_map(|(user, since, online, away)| Answer::Person { user, since, online, away }),
        text().prop_map(Answer::Value),
        (words(), quiet(), of((place(), level()))).prop_map(|(words, quiet, level)| {
            Answer::Wishes { wishes: Wishes { words, quiet }, level }
        }),
        vec((text(), text(), millis(), any::<bool>()), 0..3).prop_map(Answer::Sessions),
        (secret(), any::<String>()).prop_map(|(path, session)| Answer::Hooked { path, session }),
        (text(), text())
            .prop_map(|(certificate, session)| Answer::Certified { certificate, session }),
        seq().prop_map(|cursor| Answer::Live { cursor }),
        any::<u64>().prop_map(|t| Answer::Pong { t: Some(t) }),
        vec((text(), text()), 0..3).prop_map(Answer::Help),
        ticket().prop_map(Answer::Datagrams),
    ]
    .boxed()
}

fn ticket() -> BoxedStrategy<Ticket> {
    let form = select(vec!["sealed", "mac"]);
    (any::<String>(), secret(), any::<u16>(), any::<usize>(), form, millis())
        .prop_map(|(sid, key, port, mtu, form, expires)| Ticket {
            sid,
            key,
            port,
            mtu,
            form,
            expires,
        })
        .boxed()
}

fn listed() -> BoxedStrategy<Listed> {
    let numbers = (seq(), of((seq(), role())), any::<u64>(), any::<usize>());
    let held = (mode(), text()).prop_map(|(mode, turn)| Held { mode, turn });
    let invited = (any::<String>(), millis()).prop_map(|(by, at)| InvitedBy { by, at });
    let more = (any::<u64>(), level(), any::<u32>(), of(held), of(invited));
    (place(), any::<String>(), access(), numbers, more)
        .prop_map(|(room, topic, access, numbers, (mentions, level, slow, dialogue, invited))| {
            let (last, mine, unread, members) = numbers;
            Listed {
                room,
                topic,
                access,
                last,
                mine,
                unread,
                mentions,
                level,
                members,
                slow,
                dialogue,
                invited,
            }
        })
        .boxed()
}

fn at() -> BoxedStrategy<Where> {
    (place(), seq(), seq(), millis(), any::<String>(), cid())
        .prop_map(|(room, seq, prev, at, from, cid)| Where { room, seq, prev, at, from, cid })
        .boxed()
}

fn event() -> BoxedStrategy<Event> {
    prop_oneof![in_the_log(), about_somebody(), beside_the_log()].boxed()
}

fn in_the_log() -> BoxedStrategy<Event> {
    prop_oneof![
        (at(), kind(), text(), of(seq()), any::<bool>(), why(), any::<bool>()).prop_map(
            |(at, kind, body, reply, mention, notify, edited)| {
                Event::Message { at, kind, body, reply, mention, notify, edited }
            }
        ),
        (at(), seq(), any::<String>()).prop_map(|(at, of, body)| Event::Edit { at, of, body }),
        (at(), seq(), text()).prop_map(|(at, of, reason)| Event::Redact { at, of, reason }),
        (at(), seq(), any::<String>(), any::<bool>())
            .prop_map(|(at, of, emoji, on)| Event::React { at, of, emoji, on }),
        at().prop_map(Event::Create),
        at().prop_map(Event::Delete),
        at().prop_map(Event::Join),
        at().prop_map(Event::Part),
        (at(), mode()).prop_map(|(at, mode)| Event::Dialogue { at, mode }),
        (at(), text()).prop_map(|(at, word)| Event::DialogueEnd { at, word }),
        (at(), any::<String>()).prop_map(|(at, topic)| Event::Topic { at, topic }),
        (at(), select(vec!["slow", "retain"]), of(any::<u64>()))
            .prop_map(|(at, what, value)| Event::Rule { at, what, value }),
    ]
    .boxed()
}

fn about_somebody() -> BoxedStrategy<Event> {
    let what = select(vec!["invite", "kick", "ban", "unban", "mute", "unmute"]);
    prop_oneof![
        (at(), any::<String>(), role()).prop_map(|(at, user, role)| Event::Role { at, user, role }),
        (at(), what, any::<String>(), of(millis()), text()).prop_map(
            |(at, what, user, until, reason)| Event::About { at, what, user, until, reason }
        ),
    ]
    .boxed()
}

fn beside_the_log() -> BoxedStrategy<Event> {
    let state = select(vec!["online", "away", "offline"]);
    prop_oneof![
        (millis(), any::<String>(), any::<String>()).prop_map(|(at, from, body)| Event::Announce {
            at,
            from,
            body
        }),
        (place(), seq()).prop_map(|(room, last)| Event::Read { room, last }),
        (place(), level()).prop_map(|(room, level)| Event::Notify { room, level }),
        words().prop_map(Event::Keywords),
        quiet().prop_map(Event::Quiet),
        (place(), any::<String>()).prop_map(|(room, who)| Event::Turn { room, who }),
        (place(), seq(), seq()).prop_map(|(room, from, to)| Event::Gap(Gap { room, from, to })),
        seq().prop_map(|last| Event::Rewound { last }),
        (place(), seq()).prop_map(|(room, last)| Event::Lagged { room, last }),
        (place(), any::<String>(), any::<bool>()).prop_map(|(room, user, on)| Event::Typing {
            room,
            user,
            on
        }),
        (any::<String>(), state, text()).prop_map(|(user, state, text)| Event::Presence {
            user,
            state,
            text
        }),
        refusal().prop_map(Event::Bye),
    ]
    .boxed()
}
