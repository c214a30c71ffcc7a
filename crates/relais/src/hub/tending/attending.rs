//! The end that is asked: it has the hub.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::Value;
use tokio::sync::mpsc;

use super::deeds;
use crate::{
    complaint::{Complaint, Wrong},
    control::{Answer, HubAt, HubRequest, OfHub, Refusal},
    hub::Made,
    stop,
};

/// A hub that is looked after.
#[derive(Clone, Debug)]
pub(crate) struct Tended {
    /// Its name.
    pub(crate) name: String,
    /// At which ports it listens.
    pub(crate) ports: Vec<u16>,
    /// Where it keeps all.
    pub(crate) store: PathBuf,
    /// Whether who asks may not have the first account, and nobody has one.
    pub(crate) waits_for_its_first: bool,
    pub(crate) made: Made,
}

/// Where what is found goes, and who takes it.
#[derive(Clone, Debug)]
pub(super) struct Answers(pub(super) mpsc::Sender<Answer>);

/// Why something is not done, and with which exit code.
#[derive(Debug)]
pub(super) struct Not {
    pub(super) wrong: Wrong,
    pub(super) exit: u8,
}

impl Tended {
    /// The one whose store is in `file`, that does not run.
    pub(super) fn at_rest(made: Made, file: &Path) -> Arc<Self> {
        let (name, store) = (file.display().to_string(), file.to_owned());
        Arc::new(Self { name, ports: Vec::new(), store, waits_for_its_first: false, made })
    }

    /// As those are told who look for one.
    pub(crate) fn told(&self) -> HubAt {
        let store = self.store.display().to_string();
        HubAt { name: self.name.clone(), ports: self.ports.clone(), store }
    }
}

impl Answers {
    /// Has something be taken. Whether who asked still does.
    pub(super) async fn give(&self, found: Value) -> bool {
        self.0.send(Answer::Found(found)).await.is_ok()
    }

    /// The same, on a thread of its own.
    pub(super) fn give_waiting(&self, found: Value) -> bool {
        self.0.blocking_send(Answer::Found(found)).is_ok()
    }
}

/// Answers `request`, of one of the `hubs`.
pub(crate) async fn attend(request: HubRequest, hubs: Vec<Tended>, answers: mpsc::Sender<Answer>) {
    let HubRequest { hub, of } = request;
    match meant(hub.as_deref(), hubs) {
        Ok(hub) => attend_to(of, Arc::new(hub), answers).await,
        // An error is a caller that did not wait.
        Err(wrong) => _ = answers.send(refused(Not { wrong, exit: 2 })).await,
    }
}

/// Answers what is asked of one hub.
pub(super) async fn attend_to(of: OfHub, hub: Arc<Tended>, answers: mpsc::Sender<Answer>) {
    let answer = match deeds::obey(of, &hub, &Answers(answers.clone())).await {
        Ok(text) => Answer::Done { text },
        Err(not) => refused(not),
    };
    _ = answers.send(answer).await;
}

fn meant(name: Option<&str>, mut hubs: Vec<Tended>) -> Result<Tended, Wrong> {
    let names: Vec<_> = hubs.iter().map(|hub| hub.name.clone()).collect();
    let at = match name {
        Some(name) => names.iter().position(|it| it == name),
        None => (hubs.len() == 1).then_some(0),
    };
    let there = names.join(", ");
    match (at, name) {
        (Some(at), _) => Ok(hubs.swap_remove(at)),
        (None, _) if names.is_empty() => {
            Err(Wrong::expected("it runs no hub", "one with a `[hub.NAME]`"))
        }
        (None, Some(name)) => Err(Wrong::expected(format!("no hub is called {name:?}"), there)),
        (None, None) => {
            let what = format!("it runs several hubs: {there}");
            Err(Wrong::expected(what, "one of them, by `--hub NAME`"))
        }
    }
}

fn refused(Not { wrong, exit }: Not) -> Answer {
    Refusal { text: stop::list(&[Complaint::of_nothing_said(wrong)]), exit }.into()
}
