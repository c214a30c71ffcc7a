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
    /// Whose number it is about.
    pub(crate) of: Subject,
    pub(crate) against: Against,
    pub(crate) bound: Bound,
}

/// What a number is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Against {
    /// Divided by that of whoever of these does best in the same column.
    Best(&'static [Subject]),
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
        let above = series(self.of)?;
        Ok(match self.against {
            Against::Nothing => (None, above.column(index).collect()),
            Against::Best(peers) => {
                let best = self.best(peers, row, index);
                let best = best.ok_or_else(|| format!("no {}", one_of(peers)))?;
                (Some(best.subject), above.over(best, index))
            }
        })
    }

    fn best<'a>(&self, peers: &[Subject], row: &'a Row, index: usize) -> Option<&'a Series> {
        let measured = peers.iter().filter_map(|&peer| row.series_of(peer));
        let with_median =
            measured.filter_map(|peer| Some((Spread::of(peer.column(index))?.median, peer)));
        let best = match self.column.better {
            Better::Lower => with_median.min_by(|(a, _), (b, _)| a.total_cmp(b)),
            Better::Higher => with_median.max_by(|(a, _), (b, _)| a.total_cmp(b)),
        };
        best.map(|(_, peer)| peer)
    }

    fn promise(&self, peer: Option<Subject>) -> String {
        let (name, of) = (self.column.name, self.of.name());
        let what = match self.against {
            Against::Best(peers) => {
                let peer = peer.map_or_else(|| one_of(peers), |peer| peer.name().to_owned());
                format!("{name}, {of} / {peer}")
            }
            Against::Nothing => name.to_owned(),
        };
        match self.bound {
            Bound::AtMost(most) => format!("{what} ≤ {most:.2}"),
            Bound::AtLeast(least) => format!("{what} ≥ {least:.2}"),
        }
    }
}

fn one_of(peers: &[Subject]) -> String {
    peers.iter().map(|peer| peer.name()).collect::<Vec<_>>().join(" or ")
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
    use crate::subject::{Program, Task};

    const CPU: Column = Column { name: "CPU", better: Better::Lower, digits: 2 };
    const RATE: Column = Column { name: "rate", better: Better::Higher, digits: 2 };

    const RELAIS: Subject = Program::Relais.at(Task::Serve);
    const NOPUSH: Subject = Program::NginxNopush.at(Task::Serve);
    const NGINX: Subject = Program::Nginx.at(Task::Serve);
    const FLOOR: Subject = Program::Floor.at(Task::Serve);

    #[test]
    fn a_peer_is_the_one_that_does_best() {
        let target = |column, bound| Target {
            column,
            of: RELAIS,
            against: Against::Best(&[NOPUSH, NGINX]),
            bound,
        };
        check(target(CPU, Bound::AtMost(0.8)), "CPU, relais / nginx, tcp_nopush off", 0.75, true);
        check(target(CPU, Bound::AtMost(0.7)), "CPU, relais / nginx, tcp_nopush off", 0.75, false);
        check(target(RATE, Bound::AtLeast(1.0)), "rate, relais / nginx, tcp_nopush on", 0.5, false);
        check(target(RATE, Bound::AtLeast(0.5)), "rate, relais / nginx, tcp_nopush on", 0.5, true);
    }

    #[test]
    fn anyone_is_divided_by_anyone_and_a_plain_number_by_nothing() {
        let bound = Bound::AtLeast(0.5);
        let over = |of, against| Target { column: CPU, of, against, bound };
        let two_thirds = 2.0 / 3.0;
        check(over(FLOOR, Against::Best(&[RELAIS])), "CPU, floor / relais", two_thirds, true);
        check(over(RELAIS, Against::Nothing), "CPU", 3.0, true);
    }

    #[test]
    fn a_missing_side_is_no_pass() {
        let target = Target {
            column: CPU,
            of: RELAIS,
            against: Against::Best(&[NOPUSH, NGINX]),
            bound: Bound::AtMost(1.0),
        };
        let mut row = row();
        row.series.retain(|series| series.subject == RELAIS);
        check_unknown(target, &row, "no nginx, tcp_nopush on or nginx, tcp_nopush off");
        row.series.clear();
        check_unknown(target, &row, "no relais");
    }

    #[track_caller]
    fn check(target: Target, what: &str, number: f64, pass: bool) {
        let verdict = target.judge(&row());
        assert!(verdict.promise.starts_with(what), "{}", verdict.promise);
        assert!((verdict.measured.unwrap().median - number).abs() < 1e-9);
        assert_eq!(verdict.outcome == Outcome::Pass, pass);
    }

    #[track_caller]
    fn check_unknown(target: Target, row: &Row, why: &str) {
        assert_eq!(target.judge(row).outcome, Outcome::Unknown(why.to_owned()));
    }

    fn row() -> Row {
        let series = |subject, round| Series { subject, rounds: vec![round] };
        Row {
            title: "",
            how: String::new(),
            columns: vec![CPU, RATE],
            ours: RELAIS,
            series: vec![
                series(RELAIS, vec![3.0, 10.0]),
                series(NOPUSH, vec![5.0, 20.0]),
                series(NGINX, vec![4.0, 10.0]),
                series(FLOOR, vec![2.0, 30.0]),
            ],
            skipped: Vec::new(),
            targets: &[],
        }
    }
}
