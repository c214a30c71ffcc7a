//! The end that is asked: it has the hub.

use std::sync::Arc;

use tokio::sync::mpsc;
use tracing::info;

use super::{
    answers::{Answers, Not},
    deeds,
    tended::Tended,
};
use crate::{
    complaint::{Complaint, Wrong},
    control::{Answer, HubRequest, OfHub, Refusal},
    stop,
};

/// Answers `request`, of one of the `hubs`.
pub(crate) async fn attend(request: HubRequest, hubs: Vec<Tended>, answers: mpsc::Sender<Answer>) {
    let HubRequest { hub, of } = request;
    match meant(hub.as_deref(), hubs) {
        Ok(hub) => {
            let name = hub.name.clone();
            if let Some(done) = attend_to(of, Arc::new(hub), answers).await {
                info!("hub {name}: {done}, by who runs it");
            }
        }
        // An error is a caller that did not wait.
        Err(wrong) => _ = answers.send(refused(Not { wrong, exit: 2 })).await,
    }
}

/// Answers what is asked of one hub. Gives what was done, if anything was.
pub(super) async fn attend_to(
    of: OfHub,
    hub: Arc<Tended>,
    answers: mpsc::Sender<Answer>,
) -> Option<String> {
    let exported = match &of {
        OfHub::Export { user } => Some(format!("all that there is of {user} is exported")),
        _ => None,
    };
    let (answer, done) = match deeds::obey(of, &hub, &Answers(answers.clone())).await {
        Ok(text) => {
            let told = Some(text.clone()).filter(|text| !text.is_empty());
            (Answer::Done { text }, told.or(exported))
        }
        Err(not) => (refused(not), None),
    };
    // An error is a caller that did not wait: it is done all the same.
    _ = answers.send(answer).await;
    done
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
