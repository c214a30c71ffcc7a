//! The one place where the time is asked for.

use std::time::SystemTime;

use crate::{
    complaint::{Complaint, Wrong},
    stop::Stop,
};

/// What time it is.
#[expect(clippy::disallowed_methods, reason = "below this crate time is a parameter")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

/// Judges a clock that says `now` at the start: what checks certificates can count from 1970 on alone.
///
/// # Errors
///
/// That it says less.
pub(crate) fn judge(now: SystemTime) -> Result<(), Stop> {
    if now >= SystemTime::UNIX_EPOCH {
        return Ok(());
    }
    let what = "the clock of this machine is before 1970".to_owned();
    let hint = "set it, and see with `date` what it says".to_owned();
    let wrong = Wrong { what, expected: None, hint: Some(hint) };
    Err(Stop::Refused(vec![Complaint::of_nothing_said(wrong)]))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_clock_before_1970_is_told_and_no_other() {
        let epoch = SystemTime::UNIX_EPOCH;
        assert!(judge(epoch).is_ok());
        let Err(Stop::Refused(told)) = judge(epoch - Duration::from_secs(1)) else {
            panic!("it is taken")
        };
        let expect = "error: the clock of this machine is before 1970\n\
            hint: set it, and see with `date` what it says";
        assert_eq!(told[0].to_string(), expect);
    }
}
