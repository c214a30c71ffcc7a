//! Running a plan: from its sockets to the last answer.

mod behind;
mod bind;
mod bounds;
mod changed;
mod descriptors;
mod ending;
mod entrance;
mod evade;
mod greeting;
mod hang_up;
mod holder;
mod house;
mod inherited;
mod manager;
mod memory;
mod opened;
mod private;
mod stops;
mod unknown;
mod waiting;

use std::{collections::BTreeMap, pin::pin, time::Duration};

use anyhow::Context as _;
use relais_http::OpenFiles;
use relais_net::Drained;
use relais_wire::plural::plural;
use tokio::{
    runtime::Builder,
    sync::mpsc,
    task::JoinSet,
    time::{MissedTickBehavior, timeout},
};
use tracing::{debug, info, warn};

pub use behind::look;
pub(crate) use descriptors::raise as raise_descriptors;
pub(crate) use greeting::Greeting;
pub(crate) use stops::Stops;

use crate::{
    access_log::Logs,
    cache, clock,
    config::Source,
    control::{self, Answer, Call, Listening, Request},
    data::Data,
    leaving::Leaving,
    limits,
    listen::Unprinted,
    proxy, service, site,
    spelling::Time,
    stop::Stop,
    tending::{self, Tended},
    tls::Keeper,
};
use behind::Lasting;
use bind::Taken;
use hang_up::{HangUp, Meaning};
use house::House;
use inherited::Inherited;
use waiting::{DiskWait, Waiting};

/// Runs what `source` says until a signal ends it.
pub(crate) fn run(source: Source, data: &Data, greeting: Greeting) -> Result<(), Stop> {
    // Before there are threads: it takes its variables out of the environment.
    let mut inherited = Inherited::from_env();
    let source = match greeting {
        Greeting::Demo => evade::evade(source, &mut inherited),
        Greeting::Plain | Greeting::Browser => source,
    };
    let descriptors = descriptors::raise();
    let services = service::Lasting::new(data.authority_certificate().ok());
    let shared = services.relays.descriptors();
    let lasting = Lasting {
        tls: Keeper::new(data.clone()).context("making keys for TLS")?,
        sites: site::Lasting {
            logs: Logs::default(),
            known: BTreeMap::new(),
            open_files: OpenFiles::at_most(limits::files(descriptors)),
            proxies: proxy::Lasting::new(data.authority_certificate().ok(), shared)
                .context("drawing a name")?,
        },
        services,
    };
    let understood = behind::understand(&source, &lasting).map_err(Stop::Wrong)?;
    let mut house = House::new(source, lasting, &understood.plan, descriptors)?;
    house.start(understood, &mut inherited, Taken::Refuse)?;
    inherited.report();
    let runtime = Builder::new_current_thread().enable_io().enable_time().build();
    let runtime = runtime.context("starting the main thread's runtime")?;
    let ended = match runtime.block_on(live(&mut house, data, greeting)) {
        Ok(stops) => runtime.block_on(ending::write_out(house.logs(), stops)),
        Err(stop) => {
            // Not on the runtime, on which nothing may block.
            house.cut_off(CUT_MAX);
            house.logs()(Leaving::IN_HASTE);
            Err(stop)
        }
    };
    runtime.shutdown_timeout(ending::BREAK_OFF_MAX);
    ended
}

/// How long those may take who are cut off, so that the logs have them.
const CUT_MAX: Duration = Duration::from_millis(500);

/// Lets callers in until told to stop, then waits for them, and gives what may still tell us to stop.
async fn live(house: &mut House, data: &Data, greeting: Greeting) -> Result<Stops, Stop> {
    let mut stops = Stops::listen()?;
    let mut hang_up = HangUp::listen()?;
    let (calls, mut called) = mpsc::channel(1);
    let control = match control::listen((house.source(), &house.ports()), data, calls) {
        Ok(control) => control,
        Err(error) => {
            // Who names no file did not ask for one.
            if let Source::Flags(_) = house.source() {
                debug!("`relais cache` and `relais hub` will not reach us: {error:#}");
            } else {
                warn!(
                    "`relais reload`, `relais cache` and `relais hub` will not reach us: {error:#}"
                );
            }
            None
        }
    };
    greeting.say(house);
    unknown::warn_of_unknown(house);
    house.begin();
    manager::ready();
    let mut renewing = tokio::time::interval(RENEW_EVERY);
    renewing.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (quit, disk) = (house.quit(), DiskWait::default());
    house.elsewhere().spawn(waiting::watch(disk.clone()));
    let mut asked = JoinSet::new();
    loop {
        tokio::select! {
            () = stops.one() => break,
            () = quit.said() => break,
            _ = renewing.tick() => renew(house, &disk),
            meaning = hang_up.one() => match meaning {
                Meaning::Reload => drop(reload(house, &disk)),
                Meaning::End => {
                    info!("the terminal is gone: ending");
                    break;
                }
            },
            Some(call) = called.recv() => obey(call, (house, &disk), &mut asked),
        }
        // Those who are done need no place.
        while asked.try_join_next().is_some() {}
    }
    manager::stopping();
    // Who asks now is hung up on, rather than left waiting.
    drop((control, called));
    let left = leave(house, &mut stops).await;
    // Who asked before had as long as callers.
    asked.shutdown().await;
    left.map(|()| stops).map_err(Stop::from)
}

/// Waits for those inside, and for who reads what they said.
async fn leave(house: &mut House, stops: &mut Stops) -> anyhow::Result<()> {
    let finished = house.finish();
    let drained = tokio::select! {
        drained = wait_for(finished, house) => drained,
        () = stops.one() => anyhow::bail!("callers were cut off: told to stop twice"),
    };
    if drained == Drained::TimedOut {
        anyhow::bail!("callers were cut off: they took too long");
    }
    tokio::select! {
        printed = wait_for_readers(house) => Ok(printed?),
        () = stops.one() => anyhow::bail!("not all that came is printed: told to stop twice"),
    }
}

/// How often to look for certificates that are close to their end. They have days; but while a
/// machine sleeps, nothing is counted.
const RENEW_EVERY: Duration = Duration::from_hours(1);

/// Waits until those inside are gone, and tells of them if it takes a moment.
async fn wait_for(finished: impl Future<Output = Drained>, house: &House) -> Drained {
    let mut finished = pin!(finished);
    if let Ok(drained) = timeout(MOMENT, &mut finished).await {
        return drained;
    }
    let (inside, grace) = (house.inside(), Time(house.grace()));
    let s = plural(inside);
    info!("{inside} connection{s} may take {grace} to finish; a second signal ends at once");
    finished.await
}

/// Waits until what callers said is printed, and tells that if it takes a moment.
async fn wait_for_readers(house: &House) -> Result<(), Unprinted> {
    let mut printed = pin!(house.printed());
    if let Ok(printed) = timeout(MOMENT, &mut printed).await {
        return printed;
    }
    info!("what came last is still to be read from standard output; a second signal ends at once");
    printed.await
}

/// An end that takes no longer needs no words. Idle connections are closed in less.
const MOMENT: Duration = Duration::from_millis(1500);

/// Does what is asked; what takes a while is among `asked`.
fn obey(
    Call { request, answers }: Call,
    (house, disk): (&mut House, &DiskWait),
    asked: &mut JoinSet<()>,
) {
    match request {
        // An error is a caller that did not wait.
        Request::Reload {} => _ = answers.try_send(reload(house, disk)),
        Request::Listening {} => {
            let cache::House { runs, desks, .. } = house.caches();
            let ports = house.ports();
            let hubs = house.hubs().iter().map(Tended::told).collect();
            let caches = Some(desks.into_keys().collect());
            let file = house.source().file().and_then(control::as_said);
            let listening = Listening { runs, ports, hubs, caches, file };
            _ = answers.try_send(Answer::Listening(listening));
        }
        Request::Cache(request) => {
            asked.spawn(cache::attend(request, house.caches(), answers));
        }
        Request::Hub(request) => {
            asked.spawn(tending::attend(request, house.hubs(), answers));
        }
    }
}

fn renew(house: &mut House, disk: &DiskWait) {
    let now = clock::now();
    disk.during(Waiting::ForCertificates, house.logs(), || house.renew(now));
}

fn reload(house: &mut House, disk: &DiskWait) -> Answer {
    manager::reloading();
    let answer = match disk.during(Waiting::ForReload, house.logs(), || house.reload()) {
        Ok(changed) => {
            house.begin();
            info!("reloaded: {changed}");
            Answer::Done { text: changed.to_string() }
        }
        Err(refusal) => {
            warn!("reload refused, running on as before:\n{}", refusal.text);
            refusal.into()
        }
    };
    manager::ready();
    answer
}
