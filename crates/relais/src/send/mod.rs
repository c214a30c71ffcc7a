//! `relais send`: one message and its answer, or a dialogue.

mod asked;
mod audience;
mod choice;
mod flags;
mod heard;
mod input;
mod verdict;

use std::{
    io::{self, IsTerminal as _},
    ops::ControlFlow,
    time::Duration,
};

use anyhow::Context as _;
use bytes::Bytes;
use relais_net::{Dialer, Scheme};
use relais_talk::send::{
    Asked as Answer, Call, Comparison, Ended, Manner, OpenError, Opened, Patience, Told, Turns,
    Unit, Upgrade, open,
};
use rustix::rand::{GetRandomFlags, getrandom};
use tokio::{sync::mpsc, time::sleep};

pub(crate) use flags::Flags;

use asked::{Asked, What};
use audience::Audience;
use heard::Heard;
use input::Reading;

use crate::{
    calling::{self, Met, broken, calls, refused, tell_met},
    complaint::{Complaint, Wrong},
    data::Data,
    output::{Telling, tell},
    spelling::Time,
    stop::Stop,
    terminal,
};

/// After how long a silence the answer on a stream is taken for whole.
const SETTLED: Duration = Duration::from_millis(200);

/// How long a server is waited for that was told that nothing more comes.
const LINGER: Duration = Duration::from_millis(500);

/// Does what the flags ask for.
pub(crate) fn obey(flags: Flags, data: &Data, telling: Telling) -> Result<(), Stop> {
    let asked = flags.asked()?;
    let demand = if asked.target.endpoint.scheme.is_secure() {
        asked.tls.demand(data)?
    } else {
        calling::TlsFlags::no_demand()
    };
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
    let Opened { call, peer, session, chain, timings } = opened;
    if telling == Telling::More {
        tell_met(&Met { peer, session, chain, timings });
    }
    let audience = if *verifies {
        Audience::Compared(Comparison::new(call.unit()))
    } else {
        Audience::Shown(Heard::new(call.unit(), asked.shows()))
    };
    match what {
        What::Message(message) => ask(call, &asked, message, audience).await,
        What::Input(_) => hold(call, &asked, audience).await,
    }
}

/// Says one message as often as was asked for.
async fn ask(
    mut call: Call,
    asked: &Asked,
    message: &[u8],
    mut audience: Audience,
) -> Result<(), Stop> {
    let (unit, times) = (call.unit(), asked.repeat.times);
    let wait = asked.wait.unwrap_or(if unit == Unit::Datagrams { DATAGRAM_WAIT } else { WAIT });
    // What an echo is to have is known, and a pause in it says nothing.
    let next = if asked.verifies { wait } else { SETTLED.min(wait) };
    for nth in 1..=times {
        if nth > 1 {
            sleep(asked.repeat.every).await;
        }
        audience.said(message);
        let patience = Patience { first: wait, next };
        let answer = call.ask(message, patience, &mut |bytes| audience.heard(bytes)).await;
        if let Err(error) = &answer {
            audience.end();
            return Err(broken(&asked.target.endpoint, "talking to", error));
        }
        match answer? {
            Answer::Unanswered if !asked.verifies => tell(unanswered(unit, wait)),
            Answer::Ended if nth < times => {
                tell(format_args!("the other side ended after {nth} of {times}"));
                return audience.conclude();
            }
            Answer::Ended if !audience.has_heard() => {
                tell("the other side ended without an answer");
            }
            Answer::Answered | Answer::Unanswered | Answer::Ended => {}
        }
        if audience.misses_something() {
            break;
        }
    }
    call.finish(LINGER, &mut |bytes| _ = audience.heard(bytes)).await;
    audience.conclude()
}

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
async fn hold(call: Call, asked: &Asked, mut audience: Audience) -> Result<(), Stop> {
    let (unit, is_typed) = (call.unit(), io::stdin().is_terminal());
    let are_datagrams = unit == Unit::Datagrams;
    let wait = asked.wait.unwrap_or(if are_datagrams { DATAGRAM_WAIT } else { REST });
    let turns = if are_datagrams && !is_typed { Turns::EachAnswered } else { Turns::Free };
    let (said, mut input) = mpsc::channel::<Bytes>(INPUT_MESSAGES);
    let mut reading = if is_typed && io::stdout().is_terminal() {
        let (lines, screen) = terminal::open("> ");
        audience.show_on(screen);
        Reading::typed(lines)
    } else {
        Reading::piped(input::form(asked, unit), said.clone())
    };
    let mut listen = |told: Told<'_>| {
        match told {
            Told::Saying(bytes) => audience.said(bytes),
            Told::Heard(bytes) => _ = audience.heard(bytes),
            Told::Unanswered if asked.verifies => return ControlFlow::Break(()),
            Told::Unanswered => tell(unanswered(unit, wait)),
        }
        if audience.differs() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let holding = call.hold(&mut input, Manner { turns, wait }, &mut listen);
    let ended = tokio::select! {
        ended = holding => ended,
        never = reading.go_on(input::form(asked, unit), said) => match never {},
    };
    // What was typed wrong ended the input: that says more than what came of it.
    if let Some(wrong) = reading.wrong() {
        audience.end();
        return Err(Stop::Wrong(vec![Complaint::of_flag("standard input", wrong)]));
    }
    if let Err(error) = &ended {
        audience.end();
        return Err(broken(&asked.target.endpoint, "talking to", error));
    }
    match ended? {
        Ended::AllSaid if !are_datagrams && !asked.verifies => {
            tell(format_args!("nothing more came within {}: `--wait` waits longer", Time(wait)));
        }
        Ended::ByPeer if is_typed => tell("the other side ended"),
        Ended::AllSaid | Ended::AllAnswered | Ended::ByPeer | Ended::ByAudience => {}
    }
    audience.conclude()
}

/// How many messages wait to be said.
const INPUT_MESSAGES: usize = 16;

/// Why there is no call, and what to try.
fn not_opened(error: &OpenError) -> Stop {
    let hint = match error {
        OpenError::Dial(error) => return refused(error),
        OpenError::Status { endpoint, status } => match (status, endpoint.scheme) {
            (300..=399, _) => "it sends elsewhere: `relais get` with `http://` shows where",
            (401 | 403, _) => "it wants to know who asks, which is not told here",
            (404, _) => "a WebSocket is at a path: ws://host:port/path",
            (426 | 400, Scheme::Ws) => "perhaps it wants TLS (wss://), or another version",
            _ => "is there a WebSocket at this path?",
        },
        OpenError::NoWebSocket { .. } => "is it a server of HTTP at all? `relais get` shows it",
        OpenError::Late { .. } => "`--timeout` waits longer",
        OpenError::Broken { .. } => "is it a server of HTTP at all?",
    };
    let wrong = Wrong::from_error(error).hint(hint);
    Stop::Refused(vec![Complaint::of_nothing_said(wrong)])
}
