use super::*;
use crate::{
    client::datagrams::Datagrams as Client,
    datagram::{Association, Form, Heard},
    model::Millis,
    protocol::{Secret, Ticket},
};

const LOGGED_IN: &str = r#"{"re":1,"ok":true,"user":"ana","session":"s_1","cursor":9,"rooms":[]}"#;

/// A connection's client, and the hub's side of its datagrams.
struct World {
    both: Both,
    hub: Association,
    now: Instant,
}

impl World {
    fn new() -> Self {
        let now = Instant::now();
        let hub = Association::new(([1; 8], Form::Sealed), &[1; 32], now);
        Self { both: Both::default(), hub, now }
    }

    fn say(&mut self, frame: &str) {
        self.both.say(format!("{frame}\n").as_bytes(), self.now);
    }

    fn hear(&mut self, line: &str) {
        self.both.hear(line.as_bytes().to_vec(), self.now);
    }

    fn frames(&mut self) -> String {
        String::from_utf8(self.both.frames()).unwrap()
    }

    fn lines(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.both.line()).map(|it| String::from_utf8(it).unwrap()).collect()
    }

    fn tell(&mut self, frame: &str) {
        let datagram = self.hub.tell(frame.as_bytes(), self.now);
        self.both.hear_datagram(&datagram, self.now);
    }

    /// Has the hub hear what was sent. Gives what it is asked.
    fn carry(&mut self) -> Vec<String> {
        let mut asked = Vec::new();
        for datagram in self.both.datagrams_to_send() {
            match self.hub.hear(&datagram, "192.0.2.1:1".parse().unwrap(), self.now).unwrap() {
                Heard::Challenged(challenge) => self.both.hear_datagram(&challenge, self.now),
                Heard::Proved(re) => self.tell(&format!("{{\"re\":{},\"ok\":true}}", re.unwrap())),
                Heard::Asked(frame) => asked.push(String::from_utf8(frame).unwrap()),
                Heard::Answered(_) | Heard::Noted => {}
            }
        }
        asked
    }

    /// Logs in, and has all go by datagrams.
    fn settle(&mut self) {
        self.say(r#"{"cmd":"LOGIN","id":1,"user":"ana","password":"x"}"#);
        self.hear(LOGGED_IN);
        assert!(
            self.frames()
                .ends_with("{\"cmd\":\"UDP\",\"id\":1152921504606846977,\"events\":\"udp\"}\n")
        );
        let ticket = Ticket {
            sid: "01".repeat(8),
            key: Secret("01".repeat(32)),
            port: 7,
            mtu: 1200,
            form: "sealed",
            expires: Millis(0),
        };
        let answer = Answer::Datagrams(ticket);
        self.hear_told(1, answer);
        assert_eq!(self.both.port(), Some(7));
        self.carry();
        self.carry();
        assert!(self.frames().starts_with("{\"cmd\":\"SESSIONS\""));
    }

    fn hear_told(&mut self, id: u64, answer: Answer) {
        let mut line = Vec::new();
        json::write(&Told::Answer { re: Some(FIRST_ID + id), answer: Ok(answer) }, &mut line);
        self.both.hear(line, self.now);
    }
}

#[test]
fn after_the_login_all_goes_by_datagrams_that_fits() {
    let mut world = World::new();
    world.settle();
    // What was told over the connection before is heard first.
    world.tell(r#"{"ev":"new"}"#);
    world.hear(r#"{"ev":"old"}"#);
    world.hear_told(2, Answer::Sessions(Vec::new()));
    assert_eq!(world.lines(), [LOGGED_IN, r#"{"ev":"old"}"#, r#"{"ev":"new"}"#]);
    world.say(r#"{"cmd":"PING","id":5}"#);
    world.say(r##"{"cmd":"HISTORY","id":6,"room":"#lab"}"##);
    let long = format!(r#"{{"cmd":"CALC","id":7,"expr":"{}"}}"#, "1".repeat(1200));
    world.say(&long);
    assert_eq!(world.carry(), [r#"{"cmd":"PING","id":3}"#]);
    assert_eq!(
        world.frames(),
        format!("{}\n{long}\n", r##"{"cmd":"HISTORY","id":6,"room":"#lab"}"##)
    );
    world.tell(r#"{"re":3,"ok":true,"t":null}"#);
    assert_eq!(world.lines(), [r#"{"re":5,"ok":true,"t":null}"#]);
}

#[test]
fn what_was_missed_comes_over_the_connection_first() {
    let mut world = World::new();
    world.say(r#"{"cmd":"LOGIN","id":1,"token":"rt_x","resume":{"since":3}}"#);
    world.hear(LOGGED_IN);
    assert!(!world.frames().contains("UDP"));
    world.hear(r#"{"ok":true,"cursor":9}"#);
    assert!(world.frames().contains("UDP"));
}

#[test]
fn a_text_that_did_not_fit_is_asked_for_over_the_connection_and_holds_back_what_follows() {
    let mut world = World::new();
    world.settle();
    world.hear_told(2, Answer::Sessions(Vec::new()));
    world.lines();
    let long = "long ".repeat(300);
    let message = |body: &str| {
        format!(
            r##"{{"ev":"message","room":"#lab","seq":7,"prev":6,"ts":"2025-11-20T19:00:03.511Z","from":"bob","kind":"text","body":"{body}"}}"##
        )
    };
    world.tell(&message(&long));
    world.tell(r#"{"ev":"next"}"#);
    assert!(world.lines().is_empty());
    assert!(
        world
            .frames()
            .contains(r##""HISTORY","id":1152921504606846979,"room":"#lab","between":[7,7]"##)
    );
    let Ok(Told::Event(event)) = json::read_told(message(&long).as_bytes()) else { panic!("odd") };
    world.hear_told(3, Answer::Page { events: vec![event], more: false });
    assert_eq!(world.lines(), [message(&long), r#"{"ev":"next"}"#.to_owned()]);
}

#[test]
fn a_text_that_is_refused_for_now_is_told_by_the_next_connection_and_not_as_taken_out() {
    let mut world = World::new();
    world.settle();
    world.hear_told(2, Answer::Sessions(Vec::new()));
    world.lines();
    world.tell(&format!(
        r##"{{"ev":"message","room":"#lab","seq":7,"prev":6,"ts":"2025-11-20T19:00:03.511Z","from":"bob","kind":"text","body":"{}"}}"##,
        "long ".repeat(300)
    ));
    world.tell(r#"{"ev":"next"}"#);
    let refusal = r#""err":{"code":"UNAVAILABLE","msg":"later","retry_ms":500}}"#;
    world.hear(&format!(r#"{{"re":{},{refusal}"#, FIRST_ID + 3));
    let [line] = &world.lines()[..] else { panic!("it is told otherwise") };
    assert!(line.starts_with(r#"{"err":{"code":"UNAVAILABLE""#) && line.contains("500"), "{line}");
}

#[test]
fn a_hub_that_wants_no_datagrams_is_spoken_to_over_the_connection() {
    let mut world = World::new();
    world.say(r#"{"cmd":"LOGIN","id":1,"user":"ana","password":"x"}"#);
    world.hear(LOGGED_IN);
    world.frames();
    world.hear(r#"{"re":1152921504606846977,"err":{"code":"TLS_REQUIRED","msg":"x"}}"#);
    let refused = world.both.refused().unwrap();
    assert_eq!(refused.code, crate::protocol::Code::TlsRequired);
    world.say(r#"{"cmd":"PING","id":5}"#);
    assert_eq!(world.frames(), "{\"cmd\":\"PING\",\"id\":5}\n");
    assert_eq!((world.both.wakes_at(), world.lines().len()), (None, 1));
}

#[test]
fn where_datagrams_do_not_come_through_that_is_told() {
    let mut world = World::new();
    let ticket = Ticket {
        sid: "01".repeat(8),
        key: Secret("01".repeat(32)),
        port: 7,
        mtu: 1200,
        form: "mac",
        expires: Millis(0),
    };
    let datagrams = Client::new(&ticket, world.now).unwrap();
    world.both.stage = Stage::Proving(7, datagrams);
    let mut carried = Carried::Well;
    while carried == Carried::Well {
        let wakes_at = world.both.wakes_at().unwrap();
        carried = world.both.wake(wakes_at);
    }
    assert_eq!(carried, Carried::Not);
}
