//! The rows about the hub: what is said in a room of a thousand, what many say at once and have
//! acknowledged, what who is silent takes, and how long who asks waits where much was said.

mod asking;
mod crowd;
mod entering;
mod floor;
mod senders;
mod team;
mod tongue;
mod wanted;

use std::{
    net::TcpStream,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

pub(crate) use self::floor::{Args as RoomArgs, serve};
use self::{
    crowd::Crowd,
    senders::Senders,
    team::{Alone, Assembled, Team},
    tongue::Tongue,
};
use crate::{
    client, footprint, launch,
    row::{Row, interleave},
    running::{Door, Kit, Running},
    stats::{float, percentile},
    subject::{Program, STORE, Subject, Task},
};

/// A row of this kind, to be measured.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Spec {
    /// So many messages on their way to all members of a room.
    FanOut(usize),
    /// Messages of many, acknowledged.
    Durable,
    /// Sessions that say nothing.
    Idle(Door),
    /// What is asked where much was said.
    Large,
}

/// Every row of this kind.
pub(crate) const SPECS: [Spec; 6] = [
    Spec::FanOut(16),
    Spec::FanOut(1),
    Spec::Durable,
    Spec::Idle(Door::Http),
    Spec::Idle(Door::Https),
    Spec::Large,
];

/// Whether a row is of this kind.
pub(crate) fn is_of_hub(title: &str) -> bool {
    SPECS.iter().any(|spec| spec.title() == title)
}

/// How much to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) rounds: usize,
    pub(crate) seconds: u64,
    /// Idle sessions in the clear.
    pub(crate) clear_sessions: usize,
    /// Idle sessions under TLS.
    pub(crate) tls_sessions: usize,
    /// Who has an account where much was said.
    pub(crate) accounts: usize,
    /// How much that is.
    pub(crate) messages: usize,
}

impl Spec {
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::FanOut(1) => "Hub, to 1,000 members, one message at a time",
            Self::FanOut(_) => "Hub, to 1,000 members, 16 messages at a time",
            Self::Durable => "Hub, acknowledged messages of 200 senders",
            Self::Idle(Door::Http) => "Hub, memory, idle sessions",
            Self::Idle(Door::Https) => "Hub, memory, idle sessions under TLS",
            Self::Large => "Hub, asked where much was said",
        }
    }

    pub(crate) fn measure(self, kit: &Kit<'_>, effort: Effort) -> Row {
        let (columns, targets) = self.columns();
        // These take long, and vary little.
        let rounds = match self {
            Self::Idle(_) => effort.rounds.min(IDLE_ROUNDS_MAX),
            Self::Large => 1,
            Self::FanOut(_) | Self::Durable => effort.rounds,
        };
        let sample = |subject| self.sample(subject, kit, effort);
        let (series, skipped) = interleave(rounds, self.subjects(), sample);
        Row {
            title: self.title(),
            how: self.how(effort),
            columns: columns.to_vec(),
            ours: RELAIS,
            series,
            skipped,
            targets,
        }
    }

    fn subjects(self) -> &'static [Subject] {
        match self {
            Self::FanOut(_) => &FAN_OUT_SUBJECTS,
            Self::Idle(Door::Http) => &PEERS,
            // The others keep nothing, and are asked for nothing.
            Self::Durable | Self::Idle(Door::Https) | Self::Large => &PEERS[..1],
        }
    }

    fn sample(self, subject: Subject, kit: &Kit<'_>, effort: Effort) -> Result<Vec<f64>> {
        let mut assembled = Assembled::default();
        let team = self.team(effort);
        let server = Running::start_furnished(subject, kit, |scratch: &Path| {
            if subject.program == Program::Relais {
                assembled = team::assemble(team, &scratch.join(STORE))?;
            }
            Ok(())
        });
        let server = server.context("cannot start")?;
        match self {
            Self::FanOut(window) => {
                fan_out((subject, &server), &assembled, (window, effort.seconds))
            }
            Self::Durable => durable(&server, &assembled, effort.seconds),
            Self::Idle(door) => idle((subject, &server), &assembled, (door, self.sessions(effort))),
            Self::Large => asking::ask(server.port(Door::Http), &assembled.tokens, assembled.said),
        }
    }

    fn team(self, effort: Effort) -> Team {
        let nobody = Team { members: 1, alone: Alone::Without, others: 0, messages: 0 };
        match self {
            Self::FanOut(_) => Team { members: MEMBERS + 1, ..nobody },
            Self::Durable => Team { members: SENDERS, alone: Alone::With, ..nobody },
            // As many devices each as an account may have.
            Self::Idle(_) => Team { members: self.sessions(effort).div_ceil(DEVICES), ..nobody },
            Self::Large => {
                let (others, messages) = (effort.accounts, effort.messages);
                Team { members: 100, alone: Alone::With, others, messages }
            }
        }
    }

    fn sessions(self, effort: Effort) -> usize {
        match self {
            Self::Idle(Door::Https) => effort.tls_sessions,
            _ => effort.clear_sessions,
        }
    }

    fn how(self, effort: Effort) -> String {
        let Effort { accounts, messages, .. } = effort;
        match self {
            Self::FanOut(window) => format!(
                "A fresh server each, with {MEMBERS} members of one room and one more who speaks: messages of 100 \
                 characters, {window} on their way at most, the next when all have heard one. What counts is \
                 deliveries for a second of the server's CPU. relais alone has written each message to the disk \
                 before anybody hears it. The floor is a loop of `epoll_wait`, `read` and a `send` of what it \
                 read to each member."
            ),
            Self::Durable => format!(
                "{SENDERS} senders, each in a room of its own, each with {WINDOW} messages of 100 characters on their \
                 way; each message is on the disk when it is acknowledged (`synchronous = FULL`)."
            ),
            Self::Idle(_) => format!(
                "A fresh server each, in at most {IDLE_ROUNDS_MAX} rounds; {} sessions that are somebody, then {} s of \
                 silence.",
                self.sessions(effort),
                SILENCE.as_secs()
            ),
            Self::Large => format!(
                "A store with {accounts} accounts and {messages} messages in one room; one client asks one thing after \
                 the other: to be let in with a token, for 50 entries from anywhere (HISTORY), for two words that \
                 are rare together and for one that is not (SEARCH)."
            ),
        }
    }
}

fn fan_out(
    (subject, server): (Subject, &Running),
    assembled: &Assembled,
    (window, seconds): (usize, u64),
) -> Result<Vec<f64>> {
    let (port, tongue) = (server.port(Door::Http), Tongue::of(subject));
    let mut crowd = Crowd::gather(port, tongue, &assembled.tokens, MEMBERS)?;
    crowd.talk(window, WARM_UP)?;
    let (begin, before) = (Instant::now(), server.cpu_seconds()?);
    let heard = crowd.talk(window, Duration::from_secs(seconds))?;
    let (cpu, took) = (server.cpu_seconds()? - before, begin.elapsed().as_secs_f64());
    ensure!(heard.deliveries > 0 && cpu > 0.0, "nothing was heard");
    let thousands = float(heard.deliveries) / 1e3;
    let (median, p99) = (heard.percentile(50), heard.percentile(99));
    Ok(vec![thousands / cpu, thousands / took, cpu / took, median, p99])
}

fn durable(server: &Running, assembled: &Assembled, seconds: u64) -> Result<Vec<f64>> {
    let mut senders = Senders::start(server.port(Door::Http), &assembled.tokens, WINDOW)?;
    senders.speak(WARM_UP)?;
    let (begin, before) = (Instant::now(), server.cpu_seconds()?);
    let mut after = senders.speak(Duration::from_secs(seconds))?;
    let (cpu, took) = (server.cpu_seconds()? - before, begin.elapsed().as_secs_f64());
    after.sort_by(f64::total_cmp);
    let many = float(u64::try_from(after.len())?);
    let [median, p99] = [50, 99].map(|percent| percentile(&after, percent) / 1e3);
    Ok(vec![many / took, median, p99, cpu / took, cpu / many * 1e6])
}

fn idle(
    (subject, server): (Subject, &Running),
    assembled: &Assembled,
    (door, sessions): (Door, usize),
) -> Result<Vec<f64>> {
    launch::pause(SETTLE);
    let base = server.memory()?;
    let (port, config) = (server.port(door), client::tls_config()?);
    let token = |number: usize| assembled.tokens.get(number / DEVICES).cloned().unwrap_or_default();
    let held: Vec<TcpStream> = match door {
        Door::Http => entering::enter_all(port, Tongue::of(subject), (sessions, token))?,
        Door::Https => {
            let enter = |number| entering::enter_safely(port, &config, (number, &token(number)));
            (0..sessions).map(enter).collect::<Result<_>>()?
        }
    };
    launch::pause(SILENCE);
    let full = server.memory()?;
    footprint::ensure_open(&held)?;
    let sessions = float(u64::try_from(sessions)?);
    Ok(vec![(full.rss - base.rss) / sessions, base.rss / 1024.0, full.rss / 1024.0])
}

/// How many hear what one says.
const MEMBERS: usize = 1000;
/// How many say something at once.
const SENDERS: usize = 200;
/// How much each of them has on its way.
const WINDOW: usize = 4;
/// The most devices of an account.
const DEVICES: usize = 16;
const IDLE_ROUNDS_MAX: usize = 2;

const WARM_UP: Duration = Duration::from_millis(500);
const SETTLE: Duration = Duration::from_millis(500);
const SILENCE: Duration = Duration::from_secs(3);

const RELAIS: Subject = Program::Relais.at(Task::Message);
const NATS: Subject = Program::NatsServer.at(Task::Message);
const INSPIRCD: Subject = Program::InspIrcd.at(Task::Message);
const NGIRCD: Subject = Program::Ngircd.at(Task::Message);
const FLOOR: Subject = Program::Floor.at(Task::Message);
const PEERS: [Subject; 4] = [RELAIS, NATS, INSPIRCD, NGIRCD];
const FAN_OUT_SUBJECTS: [Subject; 5] = [RELAIS, NATS, INSPIRCD, NGIRCD, FLOOR];
