//! Invitations stand in the list until one comes in.

use super::*;

/// A room to which one is invited.
fn open(name: &str) -> Listed {
    let invited = Some(InvitedBy { by: "bob".into(), at: Millis(NOON) });
    Listed { access: Access::Private, mine: None, invited, ..listed(name, 0) }
}

fn asks_for_rooms() -> Ask {
    Ask::Rooms { matching: Some(String::new()) }
}

#[test]
fn an_invitation_is_there_again_after_a_restart_and_enter_comes_in() {
    let mut stage = Stage::new((72, 8));
    let rooms = vec![listed("#lab", 0)];
    stage.hear(News::Entered { user: "ana".into(), token: None, rooms, wishes: Wishes::default() });
    assert!(stage.asked().contains(&asks_for_rooms()));
    // Of rooms that all may enter one need not be told.
    let public = Listed { mine: None, ..listed("#square", 0) };
    let invited = Listed { access: Access::Public, ..open("#park") };
    let rooms = vec![listed("#lab", 0), invited, open("#den"), public];
    stage.answer(asks_for_rooms(), Ok(Answer::Rooms { rooms, more: false }));
    stage.sees("+#den ");
    stage.sees("+#park ");
    stage.sees("you are invited to #park, #den");
    stage.sees_not("#square");
    stage.press(&[Key::RoomBefore]);
    stage.sees("Enter comes in");
    assert_eq!(stage.asked(), [], "nothing is asked of a room that one is not in");
    stage.press(&[Key::Enter]);
    let ask = Ask::Join { room: place("#den") };
    assert_eq!(stage.asked(), std::slice::from_ref(&ask));
    stage.answer(ask, Ok(Answer::Joined(listed("#den", 0))));
    stage.sees(" #den ");
    stage.sees_not("+#den");
    stage.sees_not("Enter comes in");
    stage.said("#den", "bob", "welcome");
    stage.sees("bob welcome");
}

#[test]
fn who_is_invited_is_told_and_an_invitation_that_is_over_is_gone() {
    let mut stage = Stage::new((72, 8));
    let at = stage.at("#den", "bob");
    let (what, user) = ("invite", "ana".to_owned());
    stage.hear(News::Happened(Event::About { at, what, user, until: None, reason: None }));
    stage.sees("+#den ");
    stage.sees("bob invited you to #den: /join #den");
    assert_eq!(stage.alerts().len(), 1);
    stage.model.resize((40, 8));
    stage.sees("+#den");
    stage.model.resize((72, 8));
    stage.answer(
        asks_for_rooms(),
        // Also where it is one that all may enter.
        Ok(Answer::Rooms { rooms: vec![Listed { mine: None, ..listed("#den", 0) }], more: false }),
    );
    stage.sees_not("+#den");
}

#[test]
fn an_invitation_is_declined_from_where_it_is_shown_or_on_another_device() {
    let mut stage = Stage::new((72, 8));
    for is_elsewhere in [false, true] {
        let rooms = vec![open("#den")];
        stage.answer(asks_for_rooms(), Ok(Answer::Rooms { rooms, more: false }));
        stage.sees("+#den ");
        if is_elsewhere {
            let at = stage.at("#den", "ana");
            stage.hear(News::Happened(Event::Part(at)));
        } else {
            stage.press(&[Key::RoomBefore]);
            stage.sees("Enter comes in, /leave");
            stage.enter("/leave");
            let ask = Ask::Part { room: place("#den") };
            assert!(stage.asked().contains(&ask));
            stage.answer(ask, Ok(Answer::Done));
        }
        stage.sees_not("+#den");
    }
}

#[test]
fn what_the_screen_asks_of_its_own_is_no_word_that_waits() {
    let mut stage = Stage::new((72, 8));
    let rooms = vec![listed("#lab", 0)];
    stage.hear(News::Entered { user: "ana".into(), token: None, rooms, wishes: Wishes::default() });
    assert_eq!(stage.model.hubs[0].unacknowledged(), 0);
    stage.answer(asks_for_rooms(), Err(Refusal::of(Code::RateLimited)));
    stage.sees_not("too fast");
}
