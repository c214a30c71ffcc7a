//! What is told made to fit a datagram. What does not fit is to be asked for over a connection.

use super::remembered::Cut;
use crate::{
    json::{self, carried::without_body},
    model::Seq,
    protocol::{Answer, Code, Event, Refusal, Told},
};

/// `frame`, or what can be told of it in at most `bytes_max`: a page with fewer events and `more`, an
/// event without its text and with `fetch`, or that the answer is too long.
///
/// *Cost*: of what does not fit, what reading and writing it once costs.
pub(crate) fn fitted(frame: &[u8], bytes_max: usize, cut: Cut) -> Vec<u8> {
    if frame.len() <= bytes_max {
        return frame.to_vec();
    }
    let shortened = match json::read_told(frame) {
        Ok(Told::Event(event)) => Some(shortened(event, bytes_max)),
        Ok(Told::Answer { re, answer: Ok(Answer::Page { events, .. }) }) => {
            let page =
                |events| Told::Answer { re, answer: Ok(Answer::Page { events, more: true }) };
            Some(fewer((events, cut), bytes_max, page))
        }
        Ok(Told::Answer { re, answer: Ok(_) }) => Some(too_long((re, frame.len()), bytes_max)),
        _ => None,
    };
    // Of the rest only the words that an account looks out for are so long, which its next login tells.
    shortened.filter(|frame| frame.len() <= bytes_max).unwrap_or_else(|| b"{}".to_vec())
}

/// An event without its text, or with the beginning of what is kept nowhere.
fn shortened(event: Event, bytes_max: usize) -> Vec<u8> {
    match event {
        Event::Message { at, kind, reply, mention, notify, edited, .. } => {
            let seq = at.seq;
            let event = Event::Message { at, kind, body: None, reply, mention, notify, edited };
            without(event, seq)
        }
        Event::Edit { at, of, .. } => without(Event::Edit { at, of, body: String::new() }, of),
        Event::Announce { at, from, mut body } => {
            // A letter may take six bytes in JSON.
            body.truncate(body.floor_char_boundary(bytes_max / 8));
            body.push('…');
            written(&Told::Event(Event::Announce { at, from, body }))
        }
        other => written(&Told::Event(other)),
    }
}

fn without(event: Event, seq: Seq) -> Vec<u8> {
    let frame = written(&Told::Event(event));
    without_body(&frame, seq).unwrap_or(frame)
}

/// As many of the events as fit, if need be one without its text.
fn fewer(
    (mut events, cut): (Vec<Event>, Cut),
    bytes_max: usize,
    page: impl Fn(Vec<Event>) -> Told,
) -> Vec<u8> {
    let text = written(&page(Vec::new()));
    let Some(at) = text.windows(2).position(|part| part == b"[]") else { return text };
    if cut == Cut::Front {
        events.reverse();
    }
    let (mut room, mut kept) = (bytes_max - text.len(), Vec::new());
    for event in events {
        let frame = written(&Told::Event(event.clone()));
        if frame.len() < room {
            room -= frame.len() + 1;
            kept.push(frame);
            continue;
        }
        if kept.is_empty() {
            kept.push(shortened(event, room));
        }
        break;
    }
    if cut == Cut::Front {
        kept.reverse();
    }
    [&text[..=at], &kept.join(&b","[..]), &text[at + 1..]].concat()
}

fn too_long((re, bytes): (Option<u64>, usize), bytes_max: usize) -> Vec<u8> {
    let why = format!("{bytes} bytes: expected at most {bytes_max}: ask over a connection");
    let answer = Err(Refusal::of(Code::TooLong).why(why));
    written(&Told::Answer { re, answer })
}

/// A frame without its line end.
pub(crate) fn written(told: &Told) -> Vec<u8> {
    let mut frame = Vec::new();
    json::write(told, &mut frame);
    frame.pop();
    frame
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        json::carried::left_out,
        model::{Kind, Millis, Why},
        protocol::{Place, Where},
    };

    const MOST: usize = 600;

    fn at(seq: u64) -> Where {
        let (room, from) = (Place::Room("#lab".into()), "ana".to_owned());
        Where { room, seq: Seq(seq), prev: Seq(seq - 1), at: Millis(0), from, cid: None }
    }

    fn message(seq: u64, body: &str) -> Event {
        let (kind, body) = (Kind::Text, Some(body.to_owned()));
        let notify = Some(Why::Mention);
        Event::Message {
            at: at(seq),
            kind,
            body,
            reply: None,
            mention: true,
            notify,
            edited: false,
        }
    }

    fn page(events: Vec<Event>) -> Vec<u8> {
        written(&Told::Answer { re: Some(1), answer: Ok(Answer::Page { events, more: false }) })
    }

    #[track_caller]
    fn fit(frame: &[u8], cut: Cut) -> Told {
        let fitted = fitted(frame, MOST, cut);
        assert!(fitted.len() <= MOST && fitted != b"{}", "{}", String::from_utf8_lossy(&fitted));
        json::read_told(&fitted).unwrap()
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        let frame = written(&Told::Event(message(7, "hello")));
        assert_eq!(fitted(&frame, frame.len(), Cut::Back), frame);
    }

    #[test]
    fn a_long_text_is_to_be_asked_for() {
        let long = "é\"".repeat(MOST);
        let frame = fitted(&written(&Told::Event(message(7, &long))), MOST, Cut::Back);
        assert_eq!(left_out(&frame), Some((Place::Room("#lab".into()), Seq(7))));
        let edit = Told::Event(Event::Edit { at: at(9), of: Seq(7), body: long });
        let frame = fitted(&written(&edit), MOST, Cut::Back);
        assert_eq!(left_out(&frame), Some((Place::Room("#lab".into()), Seq(7))));
    }

    #[test]
    fn what_is_kept_nowhere_is_cut() {
        let body = "\u{7f}".repeat(MOST);
        let told = Told::Event(Event::Announce { at: Millis(0), from: "ana".into(), body });
        let Told::Event(Event::Announce { body, .. }) = fit(&written(&told), Cut::Back) else {
            panic!("something else");
        };
        assert!(body.ends_with('…'));
    }

    #[test]
    fn a_page_keeps_the_end_that_was_asked_for() {
        let events = (1..=20).map(|seq| message(seq, "some words")).collect();
        let page = page(events);
        for (cut, first, last) in [(Cut::Back, Some(1), None), (Cut::Front, None, Some(20))] {
            let told = fit(&page, cut);
            let Told::Answer { re: Some(1), answer: Ok(Answer::Page { events, more }) } = told
            else {
                panic!("something else");
            };
            let seqs: Vec<_> = events.iter().filter_map(Event::at).map(|at| at.seq.0).collect();
            assert!(more && seqs.len() > 1, "{seqs:?}");
            assert!(first.is_none_or(|first| seqs[0] == first), "{seqs:?}");
            assert!(last.is_none_or(|last| seqs[seqs.len() - 1] == last), "{seqs:?}");
        }
    }

    #[test]
    fn one_event_of_a_page_is_told_at_least() {
        let page = page(vec![message(1, "short"), message(2, &"long".repeat(MOST))]);
        let frame = fitted(&page, MOST, Cut::Front);
        let cut = r#""body":null,"mention":true,"notify":"mention","fetch":2}]"#;
        assert!(String::from_utf8_lossy(&frame).contains(cut));
        assert!(json::read_told(&frame).is_ok());
    }

    #[test]
    fn another_answer_is_too_long() {
        let value = "9".repeat(MOST);
        let told = Told::Answer { re: Some(4), answer: Ok(Answer::Value(value)) };
        let Told::Answer { re: Some(4), answer: Err(refusal) } = fit(&written(&told), Cut::Back)
        else {
            panic!("something else");
        };
        assert_eq!(refusal.code, Code::TooLong);
    }
}
