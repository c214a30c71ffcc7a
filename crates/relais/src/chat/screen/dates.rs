//! Days, as they are called.

use relais_hub::{Lang, model::Millis};
use relais_wire::calendar::Moment;

/// The day in UTC: `Fri 20 Nov 2026`.
pub(super) fn day(at: Millis, lang: Lang) -> String {
    let Moment { year, month, day, .. } = at.moment();
    let (weekdays, months) = match lang {
        Lang::En => (WEEKDAYS_EN, MONTHS_EN),
        Lang::Fr => (WEEKDAYS_FR, MONTHS_FR),
    };
    // The first day of 1970 was a Thursday.
    let weekday = usize::try_from((days(at) + 4) % 7).unwrap_or(0);
    let month = months[usize::from(month).saturating_sub(1) % 12];
    format!("{} {day} {month} {year}", weekdays[weekday])
}

const WEEKDAYS_EN: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const WEEKDAYS_FR: [&str; 7] = ["dim.", "lun.", "mar.", "mer.", "jeu.", "ven.", "sam."];
const MONTHS_EN: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MONTHS_FR: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];

/// How many days there were before it.
pub(super) fn days(at: Millis) -> u64 {
    at.0 / (24 * 3600 * 1000)
}

#[cfg(test)]
mod tests {
    use relais_hub::words::clock;

    use super::*;

    #[test]
    fn days_are_called_by_their_names() {
        let at = Millis(971_186_136_123);
        assert_eq!(
            (clock(at), day(at, Lang::En)),
            ("13:55".to_owned(), "Tue 10 Oct 2000".to_owned())
        );
        assert_eq!(day(at, Lang::Fr), "mar. 10 octobre 2000");
        assert_eq!(day(Millis(0), Lang::En), "Thu 1 Jan 1970");
        // Nothing panics.
        day(Millis(u64::MAX), Lang::En);
    }
}
