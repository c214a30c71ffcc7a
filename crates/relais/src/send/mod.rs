//! `relais send`: one message and its answer, or a dialogue.

mod asked;
mod audience;
mod choice;
mod flags;
mod heard;
mod input;
mod unopened;
mod verdict;

use std::{
    io::{self, IsTerminal as _},
    ops::ControlFlow,
    time::Duration,
};

use anyhow::Context as _;
use bytes::Bytes;
use relais_net::{Callee, Dialer};
use relais_talk::send::{
    Asked as Answer, Call, Comparison, Ended, Finished, Goodbye, Manner, OnceAnswered, OnceEnded,
    Opened, Patience, Told, Turns, Unit, Upgrade, open,
};
use rustix::rand::{GetRandomFlags, getrandom};
use tokio::sync::mpsc;

pub(crate) use flags::Flags;

use asked::{Asked, What};
use audience::{Audience, Hears};
use heard::{Heard, PROMPT};
use input::Reading;
use unopened::not_opened;

use crate::{
    calling::{Channel, Met, broken, calls, tell_met},
    complaint::{Complaint, Wrong},
    data::Data,
    output::Telling,
    spelling::Time,
    stop::Stop,
    terminal,
};

/// After how long a silence the answer on a stream is taken for whole.
const SETTLED: Duration = Duration::from_millis(200);

/// How long a server is waited for that was told that nothing more comes: most end then, and are waited
/// for no longer. One that does not may be about to say another line, and nobody says whether it is; so
/// whoever waits less for an answer waits no longer for this.
const LINGER: Duration = Duration::from_millis(500);

/// Does what the flags ask for.
pub(crate) fn obey(flags: Flags, data: &Data, telling: Telling) -> Result<(), Stop> {
    let asked = flags.asked()?;
    let channel = Channel::of(asked.target.endpoint.scheme);
    let demand = asked.tls.demand_over(channel, data)?;
    let dialer = calls(&demand, asked.timeout, asked.source)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("starting a runtime")?.block_on(talk(asked, &dialer, telling))
}

async fn talk(asked: Asked, dialer: &Dialer, telling: Telling) -> Result<(), Stop> {
    let Asked { target, what, verifies, timeout, .. } = &asked;
    let mut drawn = [0; 16];
    getrandom(&mut drawn, GetRandomFlags::empty()).context("drawing a key")?;
    let upgrade = Upgrade { drawn, most: *timeout };
    let opened = open(dialer, target, upgrade).await.map_err(|error| not_opened(&error))?;
    let Opened { call, callee, session, chain, timings } = opened;
    if telling == Telling::More {
        let Callee { endpoint, address } = &callee;
        let peer = address.map_or_else(|| endpoint.to_string(), |address| address.to_string());
        tell_met(&Met { peer, session, chain, timings });
    }
    let hears = if *verifies {
        Hears::Compared(Comparison::new(call.unit()), None)
    } else {
        Hears::Shown(Heard::new(call.unit(), asked.shows()))
    };
    let audience = Audience { hears, telling };
    match what {
        What::Message(message) => ask((call, &callee), &asked, message, audience).await,
        What::Input(_) => hold((call, &callee), &asked, audience).await,
    }
}

/// Says one message as often as was asked for.
async fn ask(
    (mut call, callee): (Call, &Callee),
    asked: &Asked,
    message: &[u8],
    mut audience: Audience,
) -> Result<(), Stop> {
    let (unit, times) = (call.unit(), asked.repeat.times);
    let patience = patience(asked, unit);
    let wait = patience.first;
    let mut is_answered = true;
    for nth in 1..=times {
        let mut answered = nth - 1;
        let answer = async {
            if nth > 1
                && let Some(ended) =
                    call.rest(asked.repeat.every, &mut |bytes| _ = audience.heard(bytes)).await?
            {
                return Ok(ended);
            }
            audience.said(message);
            let mut hear = |bytes: &[u8]| {
                answered = nth;
                audience.heard(bytes)
            };
            call.ask(message, patience, &mut hear).await
        };
        let answer = answer.await;
        if let Err(error) = &answer {
            audience.end();
            return Err(broken(callee, "talking to", error));
        }
        let answer = answer?;
        is_answered &= answer != Answer::Unanswered;
        let is_short = nth < times || answered < nth;
        let so_far = match times {
            1 => "without an answer".to_owned(),
            _ => format!("after {answered} of {times}"),
        };
        let early = match answer {
            Answer::Refused(goodbye) if is_short || !audience.has_heard() => {
                Some(with_word(&so_far, Some(goodbye)))
            }
            Answer::Unsaid(goodbye) => Some(with_word(BEFORE_ALL_WAS_SAID, goodbye)),
            Answer::Ended(goodbye) if times > 1 && is_short => Some(with_word(&so_far, goodbye)),
            Answer::CutOff if times > 1 && is_short => Some(so_far),
            Answer::CutOff if !asked.verifies || audience.misses_something() => {
                return Err(audience.conclude_after(cut_off(callee)));
            }
            Answer::CutOff => return audience.conclude(),
            Answer::Unanswered if !asked.verifies => {
                audience.tell(&unanswered(unit, wait));
                None
            }
            Answer::Ended(goodbye) if !audience.has_heard() => {
                audience.tell(&with_word("the other side ended without an answer", goodbye));
                None
            }
            Answer::Answered | Answer::Unanswered | Answer::Ended(_) | Answer::Refused(_) => None,
        };
        if let Some(when) = early {
            return Err(audience.conclude_after(ended_early(callee, &when)));
        }
        if audience.misses_something() || audience.is_over() {
            break;
        }
    }
    let finished = call.finish(LINGER.min(wait), &mut |bytes| _ = audience.heard(bytes)).await;
    is_answered &= audience.has_heard();
    audience.conclude()?;
    match finished {
        Finished::CutOff => Err(cut_off(callee)),
        Finished::Whole if asked.checks && !is_answered => Err(Stop::No),
        Finished::Whole => Ok(()),
    }
}

/// How long the answer to one message is waited for.
fn patience(asked: &Asked, unit: Unit) -> Patience {
    let wait = asked.wait.unwrap_or(if unit == Unit::Datagrams { DATAGRAM_WAIT } else { WAIT });
    // What an echo is to have is known, and a pause in it says nothing.
    let next = if asked.verifies { wait } else { SETTLED.min(wait) };
    Patience { first: wait, next, stall: wait.max(STALL) }
}

/// What is to be heard of who ended before all was said.
fn ended_early(callee: &Callee, when: &str) -> Stop {
    let what = format!("{callee} ended {when}");
    let hint = "it gave up on purpose, or its program ended: its own log may say why";
    failed(Wrong { what, expected: None, hint: Some(hint.to_owned()) })
}

/// When somebody ended who did not take all that was to be said.
const BEFORE_ALL_WAS_SAID: &str = "before all was said";

/// `what` with the other side's word for it, if there is one.
fn with_word(what: &str, goodbye: Option<Goodbye>) -> String {
    goodbye.map_or_else(|| what.to_owned(), |goodbye| format!("{what}: {goodbye}"))
}

/// What is to be heard where the end of TLS is missing.
fn cut_off(callee: &Callee) -> Stop {
    let what = format!("{callee} ended without a word for it: what came may be a part");
    let hint = "somebody on the way may have cut it off; many a server ends so, too";
    failed(Wrong { what, expected: None, hint: Some(hint.to_owned()) })
}

fn failed(wrong: Wrong) -> Stop {
    Stop::Refused(vec![Complaint::of_nothing_said(wrong)])
}

/// How long nothing may be taken of what is said.
const STALL: Duration = Duration::from_secs(10);

/// How long the answer to a datagram is waited for, if nothing is said of it.
const DATAGRAM_WAIT: Duration = Duration::from_secs(1);

/// The same of other answers.
const WAIT: Duration = Duration::from_secs(3);

/// How long the rest is waited for behind the end of the input.
const REST: Duration = Duration::from_secs(10);

fn unanswered(unit: Unit, wait: Duration) -> String {
    let wait = Time(wait);
    match unit {
        Unit::Datagrams => format!(
            "no answer within {wait}, which proves nothing: the datagram or its answer may be lost or \
             late, or nobody answers there"
        ),
        Unit::Bytes | Unit::Messages => {
            format!("no answer within {wait}: `--wait` waits longer")
        }
    }
}

/// Has a dialogue with what is typed or piped in.
async fn hold(
    (call, callee): (Call, &Callee),
    asked: &Asked,
    mut audience: Audience,
) -> Result<(), Stop> {
    let (unit, is_typed) = (call.unit(), io::stdin().is_terminal());
    let manner = manner(asked, unit, is_typed);
    let wait = manner.wait;
    let (said, mut input) = mpsc::channel::<Bytes>(INPUT_MESSAGES);
    let mut reading = if is_typed && io::stdout().is_terminal() {
        let (lines, screen) = terminal::open(PROMPT);
        audience.show_on(screen);
        Reading::typed(lines)
    } else {
        Reading::piped(input::form(asked, unit), said.clone())?
    };
    let mut is_answered = true;
    let mut listen = |told: Told<'_>| {
        is_answered &= told != Told::Unanswered;
        match told {
            Told::Saying(bytes) => audience.said(bytes),
            Told::Heard(bytes) => _ = audience.heard(bytes),
            Told::Unanswered if asked.verifies => return ControlFlow::Break(()),
            Told::Unanswered => audience.tell(&unanswered(unit, wait)),
        }
        if audience.is_over() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let holding = call.hold(&mut input, manner, &mut listen);
    let ended = tokio::select! {
        ended = holding => ended,
        never = reading.go_on(input::form(asked, unit), said) => match never {},
    };
    let is_told = is_typed && !reading.is_over();
    let wrong = reading.wrong();
    // What is told from here on is not to stand behind a prompt.
    drop(reading);
    // What was typed wrong ended the input: that says more than what came of it.
    if let Some(wrong) = wrong {
        audience.end();
        return Err(Stop::Wrong(vec![Complaint::of_flag("standard input", wrong)]));
    }
    if let Err(error) = &ended {
        audience.end();
        return Err(broken(callee, "talking to", error));
    }
    match ended? {
        Ended::Unsaid(goodbye) => {
            let when = with_word(BEFORE_ALL_WAS_SAID, goodbye);
            return Err(audience.conclude_after(ended_early(callee, &when)));
        }
        Ended::ByPeer(Some(goodbye)) if asked.verifies && audience.misses_something() => {
            let when = with_word("before all was answered", Some(goodbye));
            return Err(audience.conclude_after(ended_early(callee, &when)));
        }
        Ended::CutOff if !asked.verifies || audience.misses_something() => {
            return Err(audience.conclude_after(cut_off(callee)));
        }
        Ended::AllSaid if unit != Unit::Datagrams && !asked.verifies => {
            audience
                .tell(&format!("nothing more came within {}: `--wait` waits longer", Time(wait)));
        }
        Ended::ByPeer(goodbye) if is_told => {
            audience.tell(&with_word("the other side ended", goodbye));
        }
        Ended::AllSaid
        | Ended::AllAnswered
        | Ended::ByPeer(_)
        | Ended::CutOff
        | Ended::ByAudience => {}
    }
    is_answered &= audience.has_heard();
    audience.conclude()?;
    if asked.checks && !is_answered { Err(Stop::No) } else { Ok(()) }
}

/// How a dialogue is held in which somebody types, or a pipe gives what is said.
fn manner(asked: &Asked, unit: Unit, is_typed: bool) -> Manner {
    let are_datagrams = unit == Unit::Datagrams;
    let wait = asked.wait.unwrap_or(if are_datagrams { DATAGRAM_WAIT } else { REST });
    let turns = if are_datagrams && !is_typed { Turns::EachAnswered } else { Turns::Free };
    let once_ended = if is_typed { OnceEnded::HangsUp } else { OnceEnded::SaysOn };
    // Who says how long to wait wants to hear what comes until then.
    let listens_on = asked.wait.is_some() && !is_typed && !asked.verifies;
    let once_answered = if listens_on { OnceAnswered::ListensOn } else { OnceAnswered::HangsUp };
    Manner { turns, wait, once_ended, once_answered }
}

/// How many messages wait to be said.
const INPUT_MESSAGES: usize = 16;
