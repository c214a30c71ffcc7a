//! From a plan to what stands behind its listeners: everything on the disk read, nothing bound.

use std::{path::PathBuf, sync::Arc};

use relais_http::{DynHandler, Erase, Hosts, OpenFiles, Site as HostedSite};
use tracing::warn;

use super::private;
use crate::{
    clock,
    complaint::{Complaint, KeyPath, Problem, Trouble, Wrong},
    config::{Said, Source},
    meets::Meets,
    plan::{self, Listener, Plan},
    service, site,
    tls::{Keeper, Offered},
};

/// A configuration that was read and understood, and whose files were read. Nothing was changed for it.
#[derive(Debug)]
pub(crate) struct Understood {
    pub(crate) said: Said,
    pub(crate) plan: Plan,
    parts: Parts,
}

/// The same, ready to run.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) said: Said,
    pub(crate) plan: Plan,
    /// One for each of the plan's listeners.
    pub(crate) behind: Vec<Behind>,
    /// What outlives the next reload, once this plan runs.
    pub(crate) sites: site::Lasting,
    /// The same of services.
    pub(crate) services: service::Lasting,
}

/// What outlives a reload.
#[derive(Debug)]
pub(crate) struct Lasting {
    pub(crate) tls: Keeper,
    pub(crate) sites: site::Lasting,
    pub(crate) services: service::Lasting,
}

/// What stands behind a listener.
#[derive(Debug)]
pub(crate) struct Behind {
    pub(crate) meets: Meets,
    pub(crate) tls: Option<Offered>,
}

/// Reads, plans, and reads what the plan names; changes nothing on the disk and binds nothing.
///
/// # Errors
///
/// Everything that is wrong, as far as it can be told without doing it.
pub fn look(source: &Source) -> Result<Plan, Vec<Complaint>> {
    Ok(read(source, &OpenFiles::at_most(0), Vec::new())?.plan)
}

/// Reads, plans, and reads what the plan names, for who is to run it.
///
/// # Errors
///
/// Everything that is wrong, as far as it can be told without doing it.
pub(crate) fn understand(source: &Source, lasting: &Lasting) -> Result<Understood, Vec<Complaint>> {
    read(source, &lasting.sites.open_files, lasting.tls.private())
}

impl Understood {
    /// Makes everything ready that is to stand behind listeners. Opens logs and stores, and makes the local
    /// authority and its certificates where they are needed. What runs is not changed: what is opened,
    /// and not taken over, is closed again.
    ///
    /// # Errors
    ///
    /// The first that cannot be made ready.
    pub(crate) fn prepare(self, lasting: &Lasting) -> Result<Prepared, Vec<Complaint>> {
        let Self { said, plan, parts } = self;
        let (mut sites, mut services) = (lasting.sites.clone(), lasting.services.clone());
        match assemble(&plan, parts, (&mut sites, &mut services, &lasting.tls)) {
            Ok(behind) => Ok(Prepared { said, plan, behind, sites, services }),
            Err(Trouble::Within(problem)) => Err(said.complaints(vec![problem])),
            Err(Trouble::Beside(complaint)) => Err(vec![*complaint]),
        }
    }
}

/// Everything that is read from the disk for a plan, in its order.
#[derive(Debug, Default)]
struct Parts {
    sites: Vec<site::Parts>,
    services: Vec<service::Parts>,
}

/// `folders` are nobody's, beside the files that the configuration names.
fn read(
    source: &Source,
    open_files: &OpenFiles,
    folders: Vec<PathBuf>,
) -> Result<Understood, Vec<Complaint>> {
    let said = source.read()?;
    let plan = Plan::new(&said.config).map_err(|problems| said.complaints(problems))?;
    let private = private::of(source, &plan, folders);
    let (mut parts, mut problems) = (Parts::default(), Vec::new());
    for site in &plan.sites {
        match site::Parts::read(site, (open_files, &private)) {
            Ok(read) => parts.sites.push(read),
            Err(found) => problems.extend(found),
        }
    }
    for service in &plan.services {
        match service::Parts::read(service) {
            Ok(read) => parts.services.push(read),
            Err(found) => problems.extend(found),
        }
    }
    problems.extend(read_papers(&plan));
    if problems.is_empty() {
        Ok(Understood { said, plan, parts })
    } else {
        Err(said.complaints(problems))
    }
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
    parts: Parts,
    (sites, services, keeper): (&mut site::Lasting, &mut service::Lasting, &Keeper),
) -> Result<Vec<Behind>, Trouble> {
    let (mut handlers, mut made) = (Vec::new(), Vec::new());
    for (site, parts) in plan.sites.iter().zip(parts.sites) {
        handlers.push(parts.handler(site, sites)?);
    }
    for (service, parts) in plan.services.iter().zip(parts.services) {
        made.push(parts.made(service, services)?);
    }
    let stand = |listener: &Listener| {
        let meets = match &listener.behind {
            plan::Behind::Sites(sites) => {
                Meets::Http(divide((&listener.key, sites), plan, &handlers)?)
            }
            plan::Behind::Service(service) => made[*service].meets(&listener.on),
        };
        let tls = match listener.tls.as_slice() {
            [] => None,
            papers => Some(keeper.offer(papers, clock::now())?),
        };
        Ok(Behind { meets, tls })
    };
    plan.listeners.iter().map(stand).collect()
}

/// What answers at a listener: its only site, or each for its hosts.
fn divide(
    (key, sites): (&KeyPath, &[usize]),
    plan: &Plan,
    handlers: &[Arc<dyn DynHandler>],
) -> Result<Arc<dyn DynHandler>, Trouble> {
    let hosts = |site: usize| &plan.sites[site].front.hosts;
    if let [only] = *sites
        && hosts(only).is_empty()
    {
        return Ok(Arc::clone(&handlers[only]));
    }
    let sites = sites.iter().map(|site| HostedSite {
        hosts: hosts(*site).iter().map(|host| host.0.clone()).collect(),
        handler: Arc::clone(&handlers[*site]),
    });
    let hosts = Hosts::new(sites).map_err(|error| key.wrong(Wrong::from_error(&error)))?;
    Ok(hosts.erase())
}
