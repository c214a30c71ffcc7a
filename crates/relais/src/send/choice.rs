//! Asking which protocol to use.

use std::io::{self, BufRead as _, Write as _};

use relais_net::Scheme;

use crate::{
    complaint::{Complaint, Wrong},
    output::tell,
    stop::Stop,
};

/// What there is to choose from.
const CHOICES: [(&str, Scheme); 5] = [
    ("tcp", Scheme::Tcp),
    ("udp", Scheme::Udp),
    ("tls", Scheme::Tls),
    ("ws", Scheme::Ws),
    ("wss", Scheme::Wss),
];

/// Asks on standard error, and reads a line of standard input; an empty one is the `usual`.
pub(super) fn choose(usual: Scheme) -> Result<Scheme, Stop> {
    loop {
        let names = CHOICES.map(|(name, _)| name).join(", ");
        _ = write!(io::stderr(), "which protocol: {names}? [{usual}] ");
        let mut line = String::new();
        if io::stdin().lock().read_line(&mut line)? == 0 {
            let wrong = Wrong::expected("no answer to `--choose`", names);
            return Err(Stop::Wrong(vec![Complaint::of_flag("standard input", wrong)]));
        }
        match read(&line, usual) {
            Some(scheme) => return Ok(scheme),
            None => tell(format_args!("not one of them: {:?}", line.trim())),
        }
    }
}

/// A name in any case, or its number from 1.
fn read(line: &str, usual: Scheme) -> Option<Scheme> {
    let said = line.trim().to_ascii_lowercase();
    if said.is_empty() {
        return Some(usual);
    }
    let nth = said.parse::<usize>().ok().and_then(|number| CHOICES.get(number.checked_sub(1)?));
    let named = CHOICES.iter().find(|(name, _)| *name == said);
    named.or(nth).map(|(_, scheme)| *scheme)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_a_number_or_nothing_is_a_choice() {
        for (line, expect) in [
            ("\n", Some(Scheme::Tls)),
            ("UDP\r\n", Some(Scheme::Udp)),
            (" 1 \n", Some(Scheme::Tcp)),
            ("5\n", Some(Scheme::Wss)),
            ("0\n", None),
            ("6\n", None),
            ("sctp\n", None),
        ] {
            assert_eq!(read(line, Scheme::Tls), expect, "{line:?}");
        }
    }
}
