use proptest::prelude::*;
use relais_wire::datagram::Head;

use super::*;
use crate::json::carried::{Brought, Hole, read_carried, write_confirm, write_prove};

const SID: Sid = *b"abcdefgh";
const KEY: [u8; KEY_BYTES] = [7; KEY_BYTES];
const FORMS: [Form; 2] = [Form::Sealed, Form::Readable];

/// A hub and a client of it, and where that is.
struct Both {
    hub: Association,
    client: Channel,
    at: SocketAddr,
    now: Instant,
}

impl Both {
    fn new(form: Form) -> Self {
        let (now, at) = (Instant::now(), "192.0.2.1:4000".parse().unwrap());
        let hub = Association::new((SID, form), &KEY, now);
        Self { hub, client: Channel::new(SID, &KEY, (form, Side::Client)), at, now }
    }

    fn say(&mut self, frame: &str) -> Result<Heard, Dropped> {
        let datagram = self.client.say(frame.as_bytes());
        self.hub.hear(&datagram, self.at, self.now)
    }

    /// Has the client show where it is.
    fn prove(&mut self) {
        let padded = format!("{{\"cmd\":\"PING\",\"id\":1,\"pad\":\"{}\"}}", " ".repeat(64));
        let Ok(Heard::Challenged(challenge)) = self.say(&padded) else { panic!("no challenge") };
        let frame = self.client.hear(&challenge).unwrap();
        let Some(Brought::Challenge(echo)) = read_carried(&frame) else { panic!("something else") };
        let mut prove = Vec::new();
        write_prove(2, &echo, &mut prove);
        let prove = String::from_utf8(prove).unwrap();
        assert_eq!(self.say(&prove), Ok(Heard::Proved(Some(2))));
        assert_eq!(self.hub.address(), Some(self.at));
    }

    /// What the client hears of `frame`.
    fn tell(&mut self, frame: &str) -> (u64, bool, String) {
        let datagram = self.hub.tell(frame.as_bytes(), self.now);
        let heard = self.client.hear(&datagram).unwrap();
        let Some(Brought::Frame { number, hole, frame }) = read_carried(&heard) else {
            panic!("something else");
        };
        (number, hole == Hole::Open, String::from_utf8(frame).unwrap())
    }
}

fn ping(id: u64) -> String {
    format!("{{\"cmd\":\"PING\",\"id\":{id}}}")
}

#[test]
fn who_shows_where_it_is_is_heard_and_told() {
    for form in FORMS {
        let mut both = Both::new(form);
        both.prove();
        assert_eq!(both.say(&ping(3)), Ok(Heard::Asked(ping(3).into_bytes())));
        let answer = "{\"re\":3,\"ok\":true}";
        assert_eq!(both.tell(answer), (1, false, answer.to_owned()));
        assert_eq!(both.tell("{\"ev\":\"x\"}"), (2, false, "{\"ev\":\"x\"}".to_owned()));
        assert_eq!(both.say(&ping(3)), Ok(Heard::Answered(answer.as_bytes().to_vec())));
    }
}

#[test]
fn a_stranger_gets_no_more_than_it_said() {
    for form in FORMS {
        let mut both = Both::new(form);
        assert_eq!(both.say("{}"), Err(Dropped::Short));
        for pad in 0..128 {
            let datagram =
                both.client.say(format!("{{\"pad\":\"{}\"}}", "x".repeat(pad)).as_bytes());
            match both.hub.hear(&datagram, both.at, both.now) {
                Ok(Heard::Challenged(challenge)) => assert!(challenge.len() <= datagram.len()),
                other => assert_eq!(other, Err(Dropped::Short)),
            }
        }
        // Where it is it showed for one address alone.
        both.prove();
        both.at = "192.0.2.1:4001".parse().unwrap();
        assert_eq!(both.say(&ping(3)), Err(Dropped::Short));
        both.prove();
    }
}

#[test]
fn an_echo_is_for_its_address_and_not_for_ever() {
    let mut both = Both::new(Form::Sealed);
    let (at, other) = (both.at, "192.0.2.9:4000".parse().unwrap());
    let prove = |both: &mut Both, echo: &Echo| {
        let mut frame = Vec::new();
        write_prove(1, echo, &mut frame);
        both.say(&String::from_utf8(frame).unwrap())
    };
    let echo = both.hub.echo(other, 0);
    assert!(matches!(prove(&mut both, &echo), Err(Dropped::Short) | Ok(Heard::Challenged(_))));
    let echo = both.hub.echo(at, 0);
    both.now += 2 * ECHO_MAX;
    assert!(!matches!(prove(&mut both, &echo), Ok(Heard::Proved(_))));
    let echo = both.hub.echo(at, 1);
    assert_eq!(prove(&mut both, &echo), Ok(Heard::Proved(Some(1))));
}

#[test]
fn who_somebody_is_is_not_said_by_datagrams() {
    let mut both = Both::new(Form::Sealed);
    both.prove();
    for ask in [
        r#""cmd":"LOGIN","user":"ana","password":"x""#,
        r#""cmd":"LOGIN","token":"rt_x""#,
        r#""cmd":"REGISTER","user":"ana","password":"x""#,
        r#""cmd":"PASSWORD","old":"x","new":"y""#,
        r#""cmd":"LOGOUT""#,
        r#""cmd":"UDP""#,
    ] {
        let Ok(Heard::Answered(answer)) = both.say(&format!("{{{ask},\"id\":9}}")) else {
            panic!("{ask} is done");
        };
        assert!(answer.starts_with(b"{\"re\":9,\"err\":{\"code\":\"FORBIDDEN\""), "{ask}");
    }
}

#[test]
fn a_request_has_a_number() {
    let mut both = Both::new(Form::Sealed);
    both.prove();
    let Ok(Heard::Answered(answer)) = both.say("{\"cmd\":\"PING\"}") else { panic!("it is done") };
    assert!(answer.starts_with(b"{\"err\":{\"code\":\"MISSING_FIELD\",\"field\":\"id\""));
}

#[test]
fn what_is_not_confirmed_makes_a_hole_until_what_was_missed_is_asked_for() {
    let mut both = Both::new(Form::Sealed);
    both.prove();
    both.tell("{\"ev\":\"a\"}");
    both.tell("{\"ev\":\"b\"}");
    let mut confirm = Vec::new();
    write_confirm(1, &[], &mut confirm);
    assert_eq!(both.say(&String::from_utf8(confirm).unwrap()), Ok(Heard::Noted));
    let mut sent = 0;
    while let Some(due) = both.hub.wakes_at() {
        both.now = due;
        sent += both.hub.due(due).len();
    }
    assert_eq!((sent, both.tell("{\"ev\":\"c\"}").1), (3, true));
    both.say("{\"cmd\":\"RESUME\",\"id\":5,\"since\":0}").unwrap();
    assert!(!both.tell("{\"ev\":\"d\"}").1);
}

#[test]
fn who_slept_proves_anew_where_it_is() {
    let mut both = Both::new(Form::Sealed);
    both.prove();
    both.tell("{\"ev\":\"a\"}");
    both.hub.sleep();
    assert_eq!((both.hub.address(), both.hub.wakes_at()), (None, None));
    assert_eq!(both.say(&ping(3)), Err(Dropped::Short));
    both.prove();
    assert!(both.tell("{\"ev\":\"b\"}").1);
}

proptest! {
    #[test]
    fn nothing_panics(frames: Vec<Vec<u8>>, datagram: Vec<u8>) {
        for form in FORMS {
            let mut both = Both::new(form);
            both.prove();
            let headed = [&Head { sid: SID, n: 9 }.bytes()[..], &datagram].concat();
            prop_assert!(both.hub.hear(&headed, both.at, both.now).is_err());
            for frame in &frames {
                if let Form::Sealed = form {
                    let said = both.client.say(frame);
                    prop_assert!(both.hub.hear(&said, both.at, both.now).is_ok());
                }
            }
        }
    }
}
