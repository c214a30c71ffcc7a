//! Who is asked: a hub that runs, or a store that none has.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use serde_json::Value;
use tokio::{runtime::Builder, sync::mpsc};

use super::{attending::attend_to, tended::Tended};
use crate::{
    complaint::{Complaint, Wrong},
    control::{self, Answer, Found, HubAt, HubRequest, OfHub, Refusal, Request, Running},
    data::Data,
    hub::{self, Which},
    stop::Stop,
};

/// Who is asked.
#[derive(Debug)]
pub(super) enum Whom {
    /// A hub of a relais that runs: the one of this name, or the only one.
    Running(Running, Option<String>),
    /// The hub whose store is in this file, which does not run.
    Store(PathBuf),
}

/// An asking.
#[derive(Debug)]
pub(super) struct Asking<'a> {
    pub(super) whom: Whom,
    pub(super) data: &'a Data,
}

/// Whom those mean who name a store, a file, a port, a hub, or nothing.
pub(super) fn whom(which: Which, data: &Data) -> Result<Whom, Stop> {
    let Which { hub, at, file, store } = which;
    if let Some(store) = store {
        return Ok(Whom::Store(store));
    }
    if let Some(file) = file {
        return Ok(Whom::Running(Running::File(file), hub));
    }
    let running = control::running(data);
    let all: Vec<_> =
        running.iter().flat_map(|it| it.listening.hubs.iter().map(move |hub| (it, hub))).collect();
    let is_meant = |(_, found): &&(&Found, &HubAt)| {
        at.is_none_or(|port| found.ports.contains(&port))
            && hub.as_ref().is_none_or(|name| *name == found.name)
    };
    match &all.iter().filter(is_meant).collect::<Vec<_>>()[..] {
        [(found, hub)] => {
            let name = Some(hub.name.clone());
            Ok(Whom::Running(Running::Socket(found.socket.clone()), name))
        }
        [] => Err(nobody((hub.as_deref(), at), &all)),
        several => {
            let what = format!("several hubs run: {}", told(several.iter().map(|(_, hub)| *hub)));
            let wrong = Wrong::expected(what, by_what(several.iter().map(|(_, hub)| *hub)));
            Err(Stop::Wrong(vec![Complaint::of_nothing_said(wrong)]))
        }
    }
}

/// What is told where no hub is meant.
fn nobody((hub, at): (Option<&str>, Option<u16>), all: &[(&Found, &HubAt)]) -> Stop {
    let (flag, what) = match (hub, at) {
        (Some(name), _) => ("--hub", format!("no hub of this user is called {name:?}")),
        (None, Some(port)) => ("--at", format!("no hub of this user listens at port {port}")),
        (None, None) => ("", "no hub of this user runs".to_owned()),
    };
    let hint = match all {
        [] => "`relais hub 6680` runs one; `--store FILE` opens what one kept that does not run"
            .to_owned(),
        all => format!("there runs {}", told(all.iter().map(|(_, hub)| *hub))),
    };
    let wrong = Wrong { what, expected: None, hint: None }.hint(hint);
    let complaint = if flag.is_empty() {
        Complaint::of_nothing_said(wrong)
    } else {
        Complaint::of_flag(flag, wrong)
    };
    Stop::Refused(vec![complaint])
}

/// By what one of several is told from the others: two of other folders may be called the same.
fn by_what<'h>(all: impl Iterator<Item = &'h HubAt>) -> &'static str {
    let mut names = HashSet::new();
    let mut all = all;
    if all.all(|hub| names.insert(&hub.name)) {
        "one of them, by `--hub NAME` or `--at PORT`"
    } else {
        "one of them, by `--at PORT`"
    }
}

/// Which hubs there are, and where.
fn told<'h>(all: impl Iterator<Item = &'h HubAt>) -> String {
    let told = |hub: &HubAt| {
        let ports: Vec<_> = hub.ports.iter().map(u16::to_string).collect();
        match &ports[..] {
            [] => format!("{} ({:?})", hub.name, hub.store),
            [port] => format!("{} (port {port})", hub.name),
            ports => format!("{} (ports {})", hub.name, ports.join(", ")),
        }
    };
    all.map(told).collect::<Vec<_>>().join("; ")
}

impl Asking<'_> {
    /// Asks, and has all `taken` that is found. Gives what is said at the end.
    pub(super) fn ask(
        &self,
        of: OfHub,
        taken: impl FnMut(Value) -> Result<(), Stop>,
    ) -> Result<String, Stop> {
        let answer = match &self.whom {
            Whom::Running(running, hub) => {
                let request = Request::Hub(HubRequest { hub: hub.clone(), of });
                control::ask(&request, running, self.data, taken)?
            }
            Whom::Store(file) => at_rest(file, of, taken)?,
        };
        match answer {
            Answer::Refused(Refusal { text, exit }) => Err(Stop::Elsewhere { text, exit }),
            Answer::Done { text } => Ok(text),
            Answer::Found(_) | Answer::Listening(_) => Ok(String::new()),
        }
    }
}

/// How long a store at rest may take to be put in order behind us.
const CLOSED_WITHIN: Duration = Duration::from_secs(5);

/// Asks the hub whose store is in `file`, which nobody else has meanwhile.
fn at_rest(
    file: &Path,
    of: OfHub,
    mut taken: impl FnMut(Value) -> Result<(), Stop>,
) -> Result<Answer, Stop> {
    let flag = |wrong| Stop::Wrong(vec![Complaint::of_flag("--store", wrong)]);
    if let Some(what) = no_store(file) {
        return Err(flag(Wrong::expected(what, "the file of a hub, e.g. hub.db")));
    }
    let hub = hub::at_rest(file).map_err(|wrong| {
        let hint = "a hub that runs is asked without `--store`";
        flag(if wrong.what.contains("used by process") { wrong.hint(hint) } else { wrong })
    })?;
    let runtime = Builder::new_current_thread().enable_time().build().context("a runtime")?;
    let tended = Tended::at_rest(hub.clone(), file);
    let answer = runtime.block_on(async {
        let (answers, mut answered) = mpsc::channel(1);
        let attending = tokio::spawn(attend_to(of, tended, answers));
        let mut last = Answer::Done { text: String::new() };
        while let Some(answer) = answered.recv().await {
            match answer {
                Answer::Found(found) => taken(found)?,
                end => last = end,
            }
        }
        attending.await.context("looking after a store")?;
        Ok::<_, Stop>(last)
    });
    hub.close(CLOSED_WITHIN);
    answer
}

/// What is told where a hub would make a new store: who looks after one has it already.
fn no_store(file: &Path) -> Option<String> {
    if hub::is_nowhere(file) {
        return Some(format!("no store at {:?}", file.display()));
    }
    let is_empty = fs::metadata(file).is_ok_and(|found| found.is_file() && found.len() == 0);
    is_empty.then(|| format!("{:?} is empty", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_looks_for_a_store_makes_none_and_nothing_beside_what_is_none() {
        let folder = tempfile::tempdir().unwrap();
        for (text, expect) in [("", "is empty"), ("root:x:0:0:root:/root\n", "is no hub's")] {
            let file = folder.path().join("notes.txt");
            fs::write(&file, text).unwrap();
            let Err(Stop::Wrong(told)) = at_rest(&file, OfHub::Users {}, |_| Ok(())) else {
                panic!("it is taken for a store")
            };
            assert!(told[0].wrong.what.contains(expect), "{}", told[0].wrong.what);
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn a_store_that_cannot_be_looked_for_is_not_said_to_be_missing() {
        let folder = tempfile::tempdir().unwrap();
        let why = |name: &str| match at_rest(&folder.path().join(name), OfHub::Users {}, |_| Ok(()))
        {
            Err(Stop::Wrong(told)) => told[0].wrong.what.clone(),
            other => panic!("{other:?}"),
        };
        assert!(why("hub.db").starts_with("no store at"));
        let unknown = why(&"x".repeat(300));
        assert!(unknown.contains("name too long"), "{unknown}");
    }

    #[test]
    fn hubs_are_told_apart_by_what_differs() {
        let hub = |name: &str, port| HubAt {
            name: name.to_owned(),
            ports: vec![port],
            store: format!("{name}.db"),
        };
        let check = |names: [&str; 2], expect: &str| {
            let hubs = [hub(names[0], 1), hub(names[1], 2)];
            assert_eq!(by_what(hubs.iter()), format!("one of them, by {expect}"));
        };
        check(["hub", "team"], "`--hub NAME` or `--at PORT`");
        check(["hub", "hub"], "`--at PORT`");
    }
}
