use futures_util::FutureExt as _;

use super::*;

fn at() -> Arc<Endpoint> {
    Arc::new("tcp://127.0.0.1:1".parse().unwrap())
}

async fn two(manners: Manners) -> (Arc<Person>, Receiver<News>, [Caller; 2]) {
    let (person, told) = Person::new(manners);
    let first = person.come((Peer::Local, &at()), 2).await.unwrap();
    let second = person.come((Peer::Local, &at()), 2).await.unwrap();
    (person, told, [first, second])
}

#[tokio::test]
async fn callers_are_told_apart_and_answered_by_number() {
    let (person, mut told, [mut first, mut second]) = two(Manners::Freely).await;
    assert!(person.come((Peer::Local, &at()), 2).await.is_none());
    second.say(&Message::of(b"hi")).await;
    assert_eq!(person.type_line("to the first"), Typed::Sent { number: 1 });
    assert_eq!(person.type_line("@2 you"), Typed::Sent { number: 2 });
    assert_eq!(person.type_line("you again"), Typed::Sent { number: 2 });
    assert_eq!(person.type_line("@1"), Typed::Turned { number: 1 });
    assert_eq!(person.current(), (Some(1), 2));
    assert_eq!(person.type_line("@3 you"), Typed::NoSuch { number: 3 });
    assert_eq!(first.lines.recv().await.unwrap(), "to the first");
    assert_eq!(second.lines.recv().await.unwrap(), "you");
    assert_eq!(second.lines.recv().await.unwrap(), "you again");
    drop(second);
    assert_eq!(person.current(), (Some(1), 1));
    drop(first);
    assert_eq!(person.type_line("anybody?"), Typed::Nobody);
    let came = |number| News::Came { number, from: Peer::Local, on: at() };
    let said = News::Said { number: 2, bytes: b"hi".to_vec(), is_cut: false };
    let went = |number| News::Went { number };
    for expect in [came(1), came(2), said, went(2), went(1)] {
        assert_eq!(told.recv().await, Some(expect));
    }
}

#[tokio::test]
async fn what_is_for_all_goes_to_each_whose_turn_it_is() {
    let (person, _told, [mut first, mut second]) = two(Manners::Freely).await;
    assert_eq!(person.type_line("@all hello"), Typed::All { sent: 2, others: 0 });
    assert_eq!(first.lines.recv().await.unwrap(), "hello");
    assert_eq!(second.lines.recv().await.unwrap(), "hello");
    assert!(person.waiting().is_empty());
    let (person, _told, [_first, mut second]) = two(Manners::Turns).await;
    second.say(&Message::of(b"hi")).await;
    assert_eq!(person.waiting(), [2]);
    assert_eq!(person.type_line("@all hello"), Typed::All { sent: 1, others: 1 });
    assert_eq!(second.lines.recv().await.unwrap(), "hello");
    assert!(person.waiting().is_empty());
    let (nobody, _told) = Person::new(Manners::Freely);
    assert_eq!(nobody.type_line("@all hello"), Typed::Nobody);
}

#[tokio::test]
async fn what_is_typed_out_of_turn_waits() {
    let (person, _told, [mut first, _second]) = two(Manners::Turns).await;
    assert!(!person.may_speak());
    assert_eq!(person.type_line("early"), Typed::Waits { number: 1 });
    assert!(first.lines.try_recv().is_err());
    first.say(&Message::of(b"one")).await;
    assert_eq!(first.lines.try_recv().unwrap(), "early");
    assert!(!person.may_speak());
    first.say(&Message::of(b"two")).await;
    assert!(person.may_speak());
    assert_eq!(person.type_line("in turn"), Typed::Sent { number: 1 });
    assert!(!person.may_speak());
    assert_eq!(first.lines.try_recv().unwrap(), "in turn");
}

#[tokio::test]
async fn what_nobody_takes_does_not_pile_up() {
    for (manners, expect) in
        [(Manners::Freely, Typed::Sent { number: 1 }), (Manners::Turns, Typed::Waits { number: 1 })]
    {
        let (person, _told, _calls) = two(manners).await;
        for _ in 0..LINES_MAX {
            assert_eq!(person.type_line("x"), expect);
        }
        assert_eq!(person.type_line("x"), Typed::Full { number: 1 });
    }
}

#[tokio::test]
async fn what_was_begun_for_somebody_who_is_gone_goes_to_nobody_else() {
    let (person, _told, [first, mut second]) = two(Manners::Freely).await;
    assert_eq!(person.type_begun("to the first", Some(1)), Typed::Sent { number: 1 });
    drop(first);
    assert_eq!(person.current(), (Some(2), 1));
    assert_eq!(person.type_begun("a secret", Some(1)), Typed::Gone { number: 1 });
    assert!(second.lines.try_recv().is_err());
    // Who names somebody means it.
    assert_eq!(person.type_begun("@2 you", Some(1)), Typed::Sent { number: 2 });
    assert_eq!(person.type_begun("and you", Some(2)), Typed::Sent { number: 2 });
    drop(second);
    assert_eq!(person.type_begun("x", Some(2)), Typed::Gone { number: 2 });
    assert_eq!(person.type_begun("x", None), Typed::Nobody);
}

#[tokio::test]
async fn there_is_room_once_a_line_is_taken_and_in_turns_once_it_is_the_persons() {
    let has_room = |person: &Arc<Person>| person.room().now_or_never().is_some();
    let (person, _told, [mut first, second]) = two(Manners::Freely).await;
    for _ in 0..LINES_MAX {
        assert!(has_room(&person));
        person.type_line("x");
    }
    assert!(!has_room(&person));
    first.lines.recv().await.unwrap();
    assert!(has_room(&person));
    drop(first);
    assert!(has_room(&person));
    drop(second);
    assert!(!has_room(&person));
    let (person, _told, [first, _second]) = two(Manners::Turns).await;
    assert!(!has_room(&person));
    first.say(&Message::of(b"hi")).await;
    assert!(has_room(&person));
    person.type_line("x");
    assert!(!has_room(&person));
}

#[tokio::test(start_paused = true)]
async fn who_may_be_forged_and_was_never_answered_makes_room() {
    let (person, mut told) = Person::new(Manners::Freely);
    let come = || person.come_by_datagram((Peer::Local, &at()), 3);
    let mut calls = Vec::new();
    for _ in 0..3 {
        calls.push(come().unwrap());
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
    }
    // The first is answered, the second says more: the third was silent longest.
    assert_eq!(person.type_line("@1 hello"), Typed::Sent { number: 1 });
    calls[1].try_say(&Message::of(b"again"));
    let fourth = come().unwrap();
    assert_eq!(person.type_line("@3 you"), Typed::NoSuch { number: 3 });
    assert!(calls[2].lines.recv().await.is_none());
    // Who comes by a stream is as good, and stays.
    let mut others = vec![person.come((Peer::Local, &at()), 3).await.unwrap()];
    assert_eq!(person.type_line("@2 you"), Typed::NoSuch { number: 2 });
    others.extend(person.come((Peer::Local, &at()), 3).await);
    assert_eq!(person.type_line("@4 you"), Typed::NoSuch { number: 4 });
    assert!(come().is_none() && person.come((Peer::Local, &at()), 3).await.is_none());
    assert_eq!(person.current().1, 3);
    drop((calls, fourth));
    assert_eq!(person.current().1, 2);
    assert!(told.recv().await.is_some());
}

#[tokio::test]
async fn what_is_for_all_has_nobody_keep_a_seat_who_may_be_forged() {
    let (person, _told) = Person::new(Manners::Freely);
    let forged: Vec<_> =
        (0..3).filter_map(|_| person.come_by_datagram((Peer::Local, &at()), 3)).collect();
    assert_eq!(person.type_line("@all hello"), Typed::All { sent: 3, others: 0 });
    assert!(person.come((Peer::Local, &at()), 3).await.is_some());
    assert_eq!(forged.len(), 3);
}

#[tokio::test]
async fn one_client_leaves_seats_to_others() {
    let (person, _told) = Person::new(Manners::Freely);
    let from = |last, port| Peer::Net(([192, 0, 2, last], port).into());
    let mut calls = Vec::new();
    for port in 0..4 {
        calls.extend(person.come((from(1, port), &at()), 4).await);
    }
    assert_eq!(calls.len(), 3);
    calls.extend(person.come_by_datagram((from(2, 1), &at()), 4));
    assert_eq!(calls.len(), 4);
    // Who has its share takes no place from others, though they may be forged.
    assert!(person.come((from(1, 4), &at()), 4).await.is_none());
    assert!(person.come((from(3, 1), &at()), 4).await.is_some());
}

#[tokio::test]
async fn who_reads_nothing_is_told_of_no_more_senders() {
    let (person, _told) = Person::new(Manners::Freely);
    let call = person.come_by_datagram((Peer::Local, &at()), 2).unwrap();
    for _ in 0..2 * TOLD_MAX {
        call.try_say(&Message::of(b"x"));
    }
    assert!(person.come_by_datagram((Peer::Local, &at()), 2).is_none());
    assert_eq!(person.current().1, 1);
}

#[test]
fn a_line_may_say_whom_it_is_for() {
    assert_eq!(addressed("@2 hello you"), Some((2, Some("hello you"))));
    assert_eq!(addressed("@2 "), Some((2, Some(""))));
    assert_eq!(addressed("@2"), Some((2, None)));
    for text in ["hello", "@ x", "@anna x", "2 x", "@-1 x"] {
        assert_eq!(addressed(text), None, "{text}");
    }
}
