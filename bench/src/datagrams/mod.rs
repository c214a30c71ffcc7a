//! The rows about datagrams: what an echo and a relay make of a core, beside the least that such
//! programs can do.

mod calls;
mod floor;
mod load;

use std::{
    net::{Ipv4Addr, UdpSocket},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

pub(crate) use floor::{Args, serve};
use load::{Crowd, Load};

use crate::{
    launch::{self, Process, SERVER_CORE},
    origin::Origin,
    row::{Better, Column, Row, interleave},
    running::{self, Kit},
    stats::float,
    subject::{Program, Subject, Task},
    target::{Against, Bound, Target},
    usage,
};

/// A row of this kind, to be measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec {
    pub(crate) title: &'static str,
    relais: Subject,
    floor: Subject,
    crowd: Crowd,
    targets: &'static [Target],
}

/// Every row of this kind.
pub(crate) const SPECS: [Spec; 4] = [
    Spec::new("Datagrams, echo, 16 clients", Task::EchoDatagrams, FEW, &ECHO_TARGETS),
    Spec::new("Datagrams, echo, 512 clients", Task::EchoDatagrams, MANY, &ECHO_TARGETS),
    Spec::new("Datagrams, relay, 16 clients", Task::RelayDatagrams, FEW, &RELAY_TARGETS),
    Spec::new("Datagrams, relay, 512 clients", Task::RelayDatagrams, MANY, &RELAY_TARGETS),
];

impl Spec {
    const fn new(
        title: &'static str,
        task: Task,
        crowd: Crowd,
        targets: &'static [Target],
    ) -> Self {
        let (relais, floor) = (Program::Relais.at(task), Program::Floor.at(task));
        Self { title, relais, floor, crowd, targets }
    }

    pub(crate) fn measure(&self, kit: &Kit<'_>, rounds: usize, seconds: u64) -> Row {
        let Self { title, relais, floor, crowd, targets } = *self;
        let duration = Duration::from_secs(seconds);
        let (series, skipped) =
            interleave(rounds, &[relais, floor], |subject| sample(subject, kit, crowd, duration));
        let Crowd { clients, window } = crowd;
        Row {
            title,
            how: format!(
                "{clients} clients, each with {window} datagrams of 64 bytes on their way. What counts \
                 is answers for a second of the server's CPU; a relay hears and sends twice for each."
            ),
            columns: vec![PER_CORE, RATE, CORE, LOST],
            ours: relais,
            series,
            skipped,
            targets,
        }
    }
}

fn sample(subject: Subject, kit: &Kit<'_>, crowd: Crowd, duration: Duration) -> Result<Vec<f64>> {
    let far = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let origin = Origin::elsewhere(far.local_addr()?.port());
    if subject.task == Task::RelayDatagrams {
        // On the load's core, as long as this program runs: it waits in silence after.
        thread::spawn(move || floor::echo(&far));
    }
    let kit = Kit { site: kit.site, relais: kit.relais, origin: &origin, head: None };
    let scratch = tempfile::Builder::new().prefix("datagrams-").tempdir_in(kit.site.path("."))?;
    let server = Server::start(subject, &kit, scratch.path()).context("cannot start")?;
    let mut load = Load::start(server.port, crowd)?;
    load.check(START_MAX)?;
    load.run(WARM_UP)?;
    let (begin, before) = (Instant::now(), server.cpu_seconds()?);
    let passed = load.run(duration)?;
    let (cpu, took) = (server.cpu_seconds()? - before, begin.elapsed().as_secs_f64());
    ensure!(passed.answered > 0 && cpu > 0.0, "nothing was answered");
    let (answered, lost) = (float(passed.answered), float(passed.lost));
    Ok(vec![
        answered / cpu / 1e3,
        answered / took / 1e3,
        cpu / took,
        100.0 * lost / (answered + lost),
    ])
}

/// A server of datagrams, which ends when this is dropped.
struct Server {
    process: Process,
    port: u16,
}

impl Server {
    fn start(subject: Subject, kit: &Kit<'_>, scratch: &Path) -> Result<Self> {
        // Free now, and most likely still when the server binds it.
        let port = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let setup = subject.setup(&running::place(kit, scratch, (port, 0))?);
        let process = Process::start(&[SERVER_CORE], &setup, &scratch.join("said"))?;
        launch::pause(SETTLE);
        Ok(Self { process, port })
    }

    fn cpu_seconds(&self) -> Result<f64> {
        usage::cpu_seconds(&usage::family(self.process.id())?)
    }
}

const FEW: Crowd = Crowd { clients: 16, window: 32 };
const MANY: Crowd = Crowd { clients: 512, window: 1 };

const PER_CORE: Column =
    Column { name: "1000 answers/core second", better: Better::Higher, digits: 0 };
const RATE: Column = Column { name: "1000 answers/s", better: Better::Higher, digits: 0 };
const CORE: Column = Column { name: "server core", better: Better::Lower, digits: 2 };
const LOST: Column = Column { name: "lost, %", better: Better::Lower, digits: 3 };

const fn no_less_than_the_floor(of: Subject, floor: &'static [Subject]) -> [Target; 1] {
    [Target { column: PER_CORE, of, against: Against::Best(floor), bound: Bound::AtLeast(0.95) }]
}

const ECHO_FLOOR: [Subject; 1] = [Program::Floor.at(Task::EchoDatagrams)];
const RELAY_FLOOR: [Subject; 1] = [Program::Floor.at(Task::RelayDatagrams)];
const ECHO_TARGETS: [Target; 1] =
    no_less_than_the_floor(Program::Relais.at(Task::EchoDatagrams), &ECHO_FLOOR);
const RELAY_TARGETS: [Target; 1] =
    no_less_than_the_floor(Program::Relais.at(Task::RelayDatagrams), &RELAY_FLOOR);

const START_MAX: Duration = Duration::from_secs(20);
const SETTLE: Duration = Duration::from_millis(300);
const WARM_UP: Duration = Duration::from_millis(500);
