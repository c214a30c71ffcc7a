//! What is asked of a cache's folder that no relais uses.

use std::{ops::ControlFlow, path::Path};

use relais_cache::{
    AtRest, Pattern, Settings,
    disk::{Access, DiskState},
};
use serde_json::{Value, json};

use super::{
    objects::{self, Detail},
    verified,
};
use crate::{
    clock,
    complaint::{Complaint, Wrong},
    control::{Chosen, OfCaches},
    output::tell,
    stop::Stop,
};

/// Does what is asked `of` the `folder`, and has all `taken` that is found.
pub(super) fn obey(
    folder: &Path,
    of: OfCaches,
    mut taken: impl FnMut(Value) -> Result<(), Stop>,
) -> Result<(), Stop> {
    if let OfCaches::Explain { .. } | OfCaches::Fetch { .. } = of {
        return Err(answers_no_requests());
    }
    let access = match of {
        OfCaches::Purge { .. } => Access::Change,
        _ => Access::Look,
    };
    let (open, name) = (opened(folder, access)?, folder.display().to_string());
    match of {
        OfCaches::List { what } => list(&name, (&open, &pattern(&what)?), Detail::Line, taken),
        OfCaches::Show { url } => {
            list(&name, (&open, &pattern(&Chosen::Url(url))?), Detail::All, taken)
        }
        OfCaches::Stats {} => {
            let mut disk = objects::of_disk(&open.stats(), &DiskState::Working);
            // It is for whoever uses it to say.
            disk["bytes_max"] = Value::Null;
            taken(json!({ "proxy": name, "disk": disk }))
        }
        OfCaches::Purge { what, how } => {
            let purged = open.purge(&pattern(&what)?, how.purge());
            let purged = purged.map_err(|error| anyhow::Error::from(error).context("purging"))?;
            taken(json!({ "proxy": name, "purged": purged }))
        }
        OfCaches::Verify {} => verify(&name, &open, taken),
        OfCaches::Explain { .. } | OfCaches::Fetch { .. } => Ok(()),
    }
}

fn opened(folder: &Path, access: Access) -> Result<AtRest, Stop> {
    let open = AtRest::open(folder, access).map_err(|error| {
        let Wrong { what, .. } = Wrong::from_error(&error);
        let hint =
            "a relais that runs is asked by `--at PORT`, or `--file FILE`, without `--folder`";
        wrong_folder(Wrong { what, expected: None, hint: None }.hint(hint))
    })?;
    if !open.is_locked() {
        let name = folder.display();
        tell(format_args!("note: {name} cannot be locked: nobody is to use it meanwhile"));
    }
    Ok(open)
}

/// What is told who would have a folder answer requests.
pub(super) fn answers_no_requests() -> Stop {
    let what = "a folder answers no requests";
    wrong_folder(Wrong::expected(what, "a relais that runs: leave out `--folder`"))
}

fn wrong_folder(wrong: Wrong) -> Stop {
    Stop::Wrong(vec![Complaint::of_flag("--folder", wrong)])
}

fn pattern(chosen: &Chosen) -> Result<Pattern, Stop> {
    chosen.pattern().map_err(|wrong| Stop::Wrong(vec![Complaint::of_flag("URL", wrong)]))
}

fn list(
    name: &str,
    (open, pattern): (&AtRest, &Pattern),
    detail: Detail,
    mut taken: impl FnMut(Value) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let (settings, now) = (Settings::default(), clock::now());
    open.objects(pattern).try_for_each(|object| {
        let mut found = objects::told(name, &object, (&settings, now), detail);
        found["folder"] = true.into();
        taken(found)
    })
}

fn verify(
    name: &str,
    open: &AtRest,
    mut taken: impl FnMut(Value) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let (mut told, mut stopped) = (verified::Told::of_folder(name), Ok(()));
    let all = open.verify(|so_far| match told.progress(&so_far).map(&mut taken) {
        Some(Err(stop)) => {
            stopped = Err(stop);
            ControlFlow::Break(())
        }
        Some(Ok(())) | None => ControlFlow::Continue(()),
    });
    stopped?;
    taken(told.end(&all))
}
