//! Why a command ended other than well, and the exit code that says so.

use std::process::ExitCode;

use crate::{
    complaint::{Complaint, Wrong, plain},
    output::tell,
};

/// Why a command ended other than well.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It failed while it ran: 1.
    Failed(anyhow::Error),
    /// It failed while it ran, by what the configuration asks for: 1.
    Refused(Vec<Complaint>),
    /// Wrong arguments or configuration: 2.
    Wrong(Vec<Complaint>),
    /// What was to be judged is judged, and what was printed says why not: 3.
    No,
    /// Another program of ours says so.
    Elsewhere {
        /// In these words.
        text: String,
        /// The exit code.
        exit: u8,
    },
}

impl Stop {
    /// What a flag says is wrong.
    pub(crate) fn of_flag(flag: &str, wrong: Wrong) -> Self {
        Self::Wrong(vec![Complaint::of_flag(flag, wrong)])
    }

    /// Says why, and gives the exit code.
    pub(crate) fn tell(&self) -> ExitCode {
        match self {
            Self::Failed(error) => {
                let chain: Vec<_> = error.chain().map(|error| plain(&error.to_string())).collect();
                tell(format_args!("error: {}", chain.join(": ")));
                ExitCode::from(1)
            }
            Self::Refused(complaints) => {
                tell(list(complaints));
                ExitCode::from(1)
            }
            Self::Wrong(complaints) => {
                tell(list(complaints));
                ExitCode::from(2)
            }
            Self::No => ExitCode::from(3),
            Self::Elsewhere { text, exit } => {
                tell(text);
                ExitCode::from(*exit)
            }
        }
    }
}

/// Complaints one under the other, with a line between them.
pub(crate) fn list(complaints: &[Complaint]) -> String {
    complaints.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n")
}

impl<E: Into<anyhow::Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}
