//! Logs that would be written into each other.

use crate::{
    complaint::{Problem, Wrong},
    site::Site,
};

/// Each log whose file another log has, which looks otherwise or is renamed at another size.
pub(super) fn clashes(sites: &[Site]) -> Vec<Problem> {
    let all: Vec<_> = sites.iter().flat_map(Site::logs).collect();
    let clash = |(place, log): (usize, &crate::site::Written)| {
        let other = all[..place].iter().find(|other| other.file == log.file)?;
        let what = format!("{:?} is written by `{}`, too", log.file.display(), other.key);
        (other.how != log.how)
            .then(|| log.key.wrong(Wrong::expected(what, "another file, or the same kind of log")))
    };
    all.iter().enumerate().filter_map(clash).collect()
}
