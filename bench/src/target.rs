//! What is promised, and whether it holds.

use crate::{
    row::{Better, Column, Row, Series},
    stats::Spread,
    subject::Subject,
};

/// A promise about one column of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) column: Column,
    pub(crate) against: Against,
    pub(crate) bound: Bound,
}

/// What relais's number is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Against {
    /// Divided by that of the nginx that does better in the same column.
    BetterNginx,
    /// That of the floor, divided by relais's.
    FloorOver,
    /// As it is.
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

/// What became of a target.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) promise: String,
    /// The number that was compared with the bound, round by round.
    pub(crate) measured: Option<Spread>,
    pub(crate) outcome: Outcome,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Pass,
    Fail,
    /// A side of the comparison is missing: this one. The row says why.
    Unknown(String),
}

impl Target {
    /// Compares the median over the rounds with the bound.
    pub(crate) fn judge(&self, row: &Row) -> Verdict {
        let numbers = self.numbers(row);
        let (peer, numbers) = match numbers {
            Ok(found) => found,
            Err(why) => {
                let promise = self.promise(None);
                return Verdict { promise, measured: None, outcome: Outcome::Unknown(why) };
            }
        };
        let measured = Spread::of(numbers);
        let kept = measured.is_some_and(|spread| self.bound.holds(spread.median));
        let outcome = if kept { Outcome::Pass } else { Outcome::Fail };
        Verdict { promise: self.promise(peer), measured, outcome }
    }

    fn numbers(&self, row: &Row) -> Result<(Option<Subject>, Vec<f64>), String> {
        let index = row.columns.iter().position(|column| *column == self.column);
        let index = index.expect("a target about a column of its row");
        let series = |subject: Subject| {
            row.series_of(subject).ok_or_else(|| format!("no {}", subject.name()))
        };
        let ours = series(Subject::Relais)?;
        Ok(match self.against {
            Against::Nothing => (None, ours.column(index).collect()),
            Against::FloorOver => (None, series(Subject::Floor)?.over(ours, index)),
            Against::BetterNginx => {
                let peer = self.better_nginx(row, index).ok_or("no nginx")?;
                (Some(peer.subject), ours.over(peer, index))
            }
        })
    }

    fn better_nginx<'a>(&self, row: &'a Row, index: usize) -> Option<&'a Series> {
        let peers = row.series.iter().filter(|series| series.subject.is_nginx());
        let with_median =
            peers.filter_map(|peer| Some((Spread::of(peer.column(index))?.median, peer)));
        let best = match self.column.better {
            Better::Lower => with_median.min_by(|(a, _), (b, _)| a.total_cmp(b)),
            Better::Higher => with_median.max_by(|(a, _), (b, _)| a.total_cmp(b)),
        };
        best.map(|(_, peer)| peer)
    }

    fn promise(&self, peer: Option<Subject>) -> String {
        let name = self.column.name;
        let what = match self.against {
            Against::BetterNginx => {
                let peer = peer.map_or("better nginx", Subject::name);
                format!("{name}, relais / {peer}")
            }
            Against::FloorOver => format!("{name}, floor / relais"),
            Against::Nothing => name.to_owned(),
        };
        match self.bound {
            Bound::AtMost(most) => format!("{what} ≤ {most:.2}"),
            Bound::AtLeast(least) => format!("{what} ≥ {least:.2}"),
        }
    }
}

impl Bound {
    fn holds(self, number: f64) -> bool {
        match self {
            Self::AtMost(most) => number <= most,
            Self::AtLeast(least) => number >= least,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CPU: Column = Column { name: "CPU", better: Better::Lower, digits: 2 };
    const RATE: Column = Column { name: "rate", better: Better::Higher, digits: 2 };

    #[test]
    fn a_peer_is_the_nginx_that_does_better() {
        let target = |column, bound| Target { column, against: Against::BetterNginx, bound };
        check(target(CPU, Bound::AtMost(0.8)), "CPU, relais / nginx, tcp_nopush off", 0.75, true);
        check(target(CPU, Bound::AtMost(0.7)), "CPU, relais / nginx, tcp_nopush off", 0.75, false);
        check(target(RATE, Bound::AtLeast(1.0)), "rate, relais / nginx, tcp_nopush on", 0.5, false);
        check(target(RATE, Bound::AtLeast(0.5)), "rate, relais / nginx, tcp_nopush on", 0.5, true);
    }

    #[test]
    fn the_floor_is_divided_by_relais_and_a_plain_number_by_nothing() {
        let bound = Bound::AtLeast(0.5);
        let target = |against| Target { column: CPU, against, bound };
        check(target(Against::FloorOver), "CPU, floor / relais", 2.0 / 3.0, true);
        check(target(Against::Nothing), "CPU", 3.0, true);
    }

    #[test]
    fn a_missing_side_is_no_pass() {
        let mut row = row();
        row.series.remove(0);
        let bound = Bound::AtMost(1.0);
        let verdict = Target { column: CPU, against: Against::Nothing, bound }.judge(&row);
        assert_eq!(verdict.outcome, Outcome::Unknown("no relais".to_owned()));
    }

    #[track_caller]
    fn check(target: Target, what: &str, number: f64, pass: bool) {
        let verdict = target.judge(&row());
        assert!(verdict.promise.starts_with(what), "{}", verdict.promise);
        assert!((verdict.measured.unwrap().median - number).abs() < 1e-9);
        assert_eq!(verdict.outcome == Outcome::Pass, pass);
    }

    fn row() -> Row {
        let series = |subject, round| Series { subject, rounds: vec![round] };
        Row {
            title: "",
            how: String::new(),
            columns: vec![CPU, RATE],
            series: vec![
                series(Subject::Relais, vec![3.0, 10.0]),
                series(Subject::NginxNopush, vec![5.0, 20.0]),
                series(Subject::Nginx, vec![4.0, 10.0]),
                series(Subject::Floor, vec![2.0, 30.0]),
            ],
            skipped: Vec::new(),
            targets: &[],
        }
    }
}
