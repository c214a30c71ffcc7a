//! `relais hub stats`: what a hub does, once or again and again.

use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use super::{
    asking::{Asking, Whom},
    sentences::{self, Of},
};
use crate::{
    complaint::Wrong,
    control::OfHub,
    hub::StatsForm,
    output::{PRINTING, Reader, print_on, say},
    spelling::Time,
    stop::Stop,
};

/// How often it may be asked: it looks at all accounts and rooms each time.
const WATCHED_EVERY_MIN: Duration = Duration::from_millis(100);

impl Asking<'_> {
    pub(super) fn count(&self, (form, watch): (StatsForm, Option<Time>)) -> Result<(), Stop> {
        if let Some(Time(every)) = watch {
            return self.watch(form, every);
        }
        if form == StatsForm::OpenMetrics {
            let told = self.told(OfHub::Metrics {})?;
            let text = told["metrics"].as_str().unwrap_or_default();
            print_on(text.as_bytes()).context(PRINTING)?;
            return Ok(());
        }
        let mut told = self.told(OfHub::Stats {})?;
        let of = match self.whom {
            Whom::Running(..) => Of::Hub,
            Whom::Store(_) => Of::Store,
        };
        if form == StatsForm::Words {
            say(sentences::said(&told, of));
            return Ok(());
        }
        if let (Of::Store, Some(fields)) = (of, told.as_object_mut()) {
            // Nothing happens in it.
            fields.retain(|name, _| name == "hub" || name == "store");
        }
        say(told);
        Ok(())
    }

    /// Tells what happens, until who reads it has enough, or the hub is gone.
    fn watch(&self, form: StatsForm, every: Duration) -> Result<(), Stop> {
        if every < WATCHED_EVERY_MIN {
            let wrong = Wrong::expected(
                format!("watching every {} ms", every.as_millis()),
                "100ms or more",
            );
            return Err(Stop::of_flag("--watch", wrong));
        }
        let runtime = Builder::new_current_thread().enable_time().build().context("a runtime")?;
        let mut before = self.told(OfHub::Stats {})?;
        let first = match form {
            StatsForm::Words => sentences::HEAD.to_owned(),
            _ => before.to_string(),
        };
        let mut reader = print_on(format!("{first}\n").as_bytes()).context(PRINTING)?;
        while reader == Reader::Reads {
            let (now, ms) = self.after(&runtime, every)?;
            let line = match form {
                StatsForm::Words => sentences::row((&before, &now), ms),
                _ => now.to_string(),
            };
            reader = print_on(format!("{line}\n").as_bytes()).context(PRINTING)?;
            before = now;
        }
        Ok(())
    }

    /// What is told after such a time, and how many milliseconds that was.
    fn after(&self, runtime: &Runtime, every: Duration) -> Result<(Value, u64), Stop> {
        let began = tokio::time::Instant::now();
        runtime.block_on(async { tokio::time::sleep(every).await });
        let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok((self.told(OfHub::Stats {})?, ms))
    }

    fn told(&self, of: OfHub) -> Result<Value, Stop> {
        let mut told = Value::Null;
        self.ask(of, |found| {
            told = found;
            Ok(())
        })?;
        Ok(told)
    }
}
