//! `relais get`: what a server of HTTP is asked, what it answers, and how long each part took.

mod asked;
mod asking;
mod body;
mod flags;
mod heads;
mod image;
mod kept;
mod latin1;
mod live;
mod place;
mod pretty;
mod progress;
mod report;
mod saving;
mod waterfall;

use std::{
    io::{self, IsTerminal as _},
    time::Instant,
};

use anyhow::Context as _;
use clap::ColorChoice;
pub(crate) use flags::Flags;
use tokio::signal::unix::SignalKind;

use asked::{Asked, Output};
use asking::{Followed, follow};
use heads::{Heads, Shown};
use waterfall::Waterfall;

use crate::{data::Data, interrupt::Interrupt, output::Telling, stop::Stop};

/// Does what the flags ask for.
pub(crate) fn obey(
    flags: Flags,
    data: &Data,
    (color, telling): (ColorChoice, Telling),
) -> Result<(), Stop> {
    let asked = flags.asked(data)?;
    let shown = if asked.output == Output::Head { Shown::AsData } else { Shown::AsTalk };
    let heads = Heads::new(color, telling, shown);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("starting a runtime")?;
    let got = runtime.block_on(get(asked, heads));
    // What nobody waits for any more may be waiting still, for who reads for example.
    runtime.shutdown_background();
    got
}

async fn get(asked: Asked, heads: Heads) -> Result<(), Stop> {
    // Before anything is asked: what is not gone on with is not left behind.
    let mut interrupt = Interrupt::heard(&[SignalKind::interrupt()])?;
    match &asked.output {
        Output::Json => report::report(&asked, interrupt).await,
        Output::File(file) => saving::save(&asked, file, heads, interrupt).await,
        Output::Head | Output::Body => {
            let following = follow(&asked, asked.request.clone(), Some(heads));
            let followed = interrupt.or(following).await??;
            show(&asked, followed, heads, interrupt).await
        }
    }
}

/// Shows the head, the body, and how long it took.
async fn show(
    asked: &Asked,
    followed: Followed,
    heads: Heads,
    interrupt: Interrupt,
) -> Result<(), Stop> {
    followed.show_head(heads)?;
    let Followed { request, exchange, .. } = followed;
    let (timings, status) = (exchange.timings, exchange.head.status);
    let begin = Instant::now();
    let shown = body::show(exchange, heads, interrupt).await;
    if io::stdout().is_terminal() {
        heads.note("");
    }
    let waterfall = Waterfall::new(timings, asked.body_took(begin.elapsed()));
    heads.note(waterfall.drawn());
    shown.map_err(|unshown| unshown.stop(&request))?;
    asked.judge(status)
}
