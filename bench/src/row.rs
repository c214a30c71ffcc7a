//! A row: one question, asked of several servers in turn, round after round.

use crate::{subject::Subject, target::Target};

/// A quantity measured once a round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Column {
    /// With its unit.
    pub(crate) name: &'static str,
    pub(crate) better: Better,
    /// How many digits after the point are worth reading.
    pub(crate) digits: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Better {
    Lower,
    Higher,
}

/// What was measured of one subject.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) subject: Subject,
    /// By round, then by column.
    pub(crate) rounds: Vec<Vec<f64>>,
}

impl Series {
    pub(crate) fn column(&self, index: usize) -> impl Iterator<Item = f64> {
        self.rounds.iter().map(move |round| round[index])
    }

    /// This divided by `below`, round by round: neighbours in time are compared.
    pub(crate) fn over(&self, below: &Self, index: usize) -> Vec<f64> {
        self.column(index).zip(below.column(index)).map(|(above, below)| above / below).collect()
    }
}

/// A row with its results.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) title: &'static str,
    /// How it was measured.
    pub(crate) how: String,
    pub(crate) columns: Vec<Column>,
    /// Whose first column all others are compared with.
    pub(crate) ours: Subject,
    pub(crate) series: Vec<Series>,
    /// Who is missing, and why.
    pub(crate) skipped: Vec<(Subject, String)>,
    pub(crate) targets: &'static [Target],
}

impl Row {
    pub(crate) fn series_of(&self, subject: Subject) -> Option<&Series> {
        self.series.iter().find(|series| series.subject == subject)
    }
}

/// Measures every subject in turn, as often as `rounds` says: A B C, A B C. What disturbs the
/// machine for a while disturbs all of them alike.
///
/// Who fails once is out of the row, and returned with the reason.
pub(crate) fn interleave(
    rounds: usize,
    subjects: &[Subject],
    mut measure: impl FnMut(Subject) -> anyhow::Result<Vec<f64>>,
) -> (Vec<Series>, Vec<(Subject, String)>) {
    let fresh = |&subject: &Subject| Series { subject, rounds: Vec::with_capacity(rounds) };
    let mut running: Vec<Series> = subjects.iter().map(fresh).collect();
    let mut failed = Vec::new();
    for _ in 0..rounds {
        running.retain_mut(|series| match measure(series.subject) {
            Ok(round) => {
                series.rounds.push(round);
                true
            }
            Err(error) => {
                failed.push((series.subject, format!("{error:#}")));
                false
            }
        });
    }
    (running, failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::{Program, Task};

    #[test]
    fn subjects_take_turns_and_who_fails_is_out() {
        let relais = Program::Relais.at(Task::Serve);
        let nginx = Program::Nginx.at(Task::Serve);
        let mut asked = Vec::new();
        let (series, failed) = interleave(2, &[relais, nginx], |subject| {
            asked.push(subject);
            anyhow::ensure!(subject == nginx || asked.len() < 3, "tired");
            Ok(vec![1.0])
        });
        assert_eq!(asked, [relais, nginx, relais, nginx]);
        assert_eq!(failed, [(relais, "tired".to_owned())]);
        assert_eq!(series.len(), 1);
        assert_eq!(series[0].column(0).collect::<Vec<_>>(), [1.0, 1.0]);
    }
}
