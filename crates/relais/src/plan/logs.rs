//! Logs that would be written into each other.

use crate::{
    complaint::{Problem, Wrong},
    service::Service,
    site::{Site, Written},
};

/// Each log whose file another log has, which looks otherwise or is renamed at another size.
pub(super) fn clashes(sites: &[Site], services: &[Service]) -> Vec<Problem> {
    let of_services = services.iter().flat_map(Service::logs);
    let all: Vec<_> = sites.iter().flat_map(Site::logs).chain(of_services).collect();
    let clash = |(place, log): (usize, &Written)| {
        let other = all[..place].iter().find(|other| other.file == log.file)?;
        let what = format!("{:?} is written by `{}`, too", log.file.display(), other.key);
        (other.how != log.how)
            .then(|| log.key.wrong(Wrong::expected(what, "another file, or the same kind of log")))
    };
    all.iter().enumerate().filter_map(clash).collect()
}
