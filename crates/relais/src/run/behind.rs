//! From a plan to what stands behind its listeners: everything on the disk read, nothing bound.

use std::sync::Arc;

use relais_http::{DynHandler, Erase, Hosts, OpenFiles, Site as HostedSite};
use tracing::warn;

use crate::{
    clock,
    complaint::{Complaint, KeyPath, Problem, Trouble, Wrong},
    config::{Said, Source},
    plan::{Listener, Plan},
    site::{self, Parts},
    tls::{Keeper, Offered},
};

/// A configuration that was read, understood, and whose files were read.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) said: Said,
    pub(crate) plan: Plan,
    /// One for each of the plan's listeners.
    pub(crate) behind: Vec<Behind>,
    /// What outlives the next reload, once this plan runs.
    pub(crate) lasting: site::Lasting,
}

/// What outlives a reload.
#[derive(Debug)]
pub(crate) struct Lasting {
    pub(crate) tls: Keeper,
    pub(crate) sites: site::Lasting,
}

/// What stands behind a listener.
#[derive(Debug)]
pub(crate) struct Behind {
    pub(crate) handler: Arc<dyn DynHandler>,
    pub(crate) tls: Option<Offered>,
}

/// Reads, plans, and reads what the plan names; changes nothing on the disk and binds nothing.
///
/// # Errors
///
/// Everything that is wrong, as far as it can be told without doing it.
pub fn look(source: &Source) -> Result<Plan, Vec<Complaint>> {
    let (_, plan, _) = read(source, &OpenFiles::at_most(0))?;
    Ok(plan)
}

/// Makes everything ready that is to stand behind listeners. Opens logs, and makes the local
/// authority and its certificates where they are needed. What runs is not changed: what is opened,
/// and not taken over, is closed again.
pub(crate) fn prepare(source: &Source, lasting: &Lasting) -> Result<Prepared, Vec<Complaint>> {
    let (said, plan, parts) = read(source, &lasting.sites.open_files)?;
    let mut next = lasting.sites.clone();
    match assemble(&plan, parts, (&mut next, &lasting.tls)) {
        Ok(behind) => Ok(Prepared { said, plan, behind, lasting: next }),
        Err(Trouble::Within(problem)) => Err(said.complaints(vec![problem])),
        Err(Trouble::Beside(complaint)) => Err(vec![*complaint]),
    }
}

fn read(
    source: &Source,
    open_files: &OpenFiles,
) -> Result<(Said, Plan, Vec<Parts>), Vec<Complaint>> {
    let said = source.read()?;
    let plan = Plan::new(&said.config).map_err(|problems| said.complaints(problems))?;
    let mut parts = Vec::new();
    let mut problems = Vec::new();
    for site in &plan.sites {
        match Parts::read(site, open_files) {
            Ok(read) => parts.push(read),
            Err(found) => problems.extend(found),
        }
    }
    problems.extend(read_papers(&plan));
    if problems.is_empty() { Ok((said, plan, parts)) } else { Err(said.complaints(problems)) }
}

/// Reads the papers of every site that has some, warns of what is odd about them, and tells what
/// is wrong with them.
fn read_papers(plan: &Plan) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut seen: Vec<&KeyPath> = Vec::new();
    for tls in plan.listeners.iter().flat_map(|listener| &listener.tls) {
        // A site at two listeners has the same papers at both.
        if seen.contains(&&tls.key_path) {
            continue;
        }
        seen.push(&tls.key_path);
        match tls.read() {
            Ok(read) => {
                for warning in read.into_iter().flat_map(|(_, warnings)| warnings) {
                    warn!("{warning}");
                }
            }
            Err(problem) => problems.push(problem),
        }
        problems.extend(tls.read_authorities().err());
    }
    problems
}

fn assemble(
    plan: &Plan,
    parts: Vec<Parts>,
    (lasting, keeper): (&mut site::Lasting, &Keeper),
) -> Result<Vec<Behind>, Trouble> {
    let mut handlers = Vec::new();
    for (site, parts) in plan.sites.iter().zip(parts) {
        handlers.push(parts.handler(site, lasting)?);
    }
    let stand = |listener| stand(listener, plan, &handlers, keeper);
    plan.listeners.iter().map(stand).collect()
}

fn stand(
    listener: &Listener,
    plan: &Plan,
    handlers: &[Arc<dyn DynHandler>],
    keeper: &Keeper,
) -> Result<Behind, Trouble> {
    let handler = divide(listener, plan, handlers)?;
    let tls = match listener.tls.as_slice() {
        [] => None,
        papers => Some(keeper.offer(papers, clock::now())?),
    };
    Ok(Behind { handler, tls })
}

/// What answers at a listener: its only site, or each for its hosts.
fn divide(
    listener: &Listener,
    plan: &Plan,
    handlers: &[Arc<dyn DynHandler>],
) -> Result<Arc<dyn DynHandler>, Trouble> {
    let hosts = |site: usize| &plan.sites[site].front.hosts;
    if let [only] = *listener.sites
        && hosts(only).is_empty()
    {
        return Ok(Arc::clone(&handlers[only]));
    }
    let sites = listener.sites.iter().map(|site| HostedSite {
        hosts: hosts(*site).iter().map(|host| host.0.clone()).collect(),
        handler: Arc::clone(&handlers[*site]),
    });
    let hosts = Hosts::new(sites).map_err(|error| listener.key.wrong(Wrong::from_error(&error)))?;
    Ok(hosts.erase())
}
