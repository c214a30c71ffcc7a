//! At which ports somebody may be asked.
//!
//! Many servers that speak no HTTP act on what a client of HTTP can have sent to them. So tunnels,
//! which carry anything, lead to few ports, and requests to those of the web.

use super::{asked::Asked, told::Why};

/// At which ports somebody may be asked.
#[derive(Debug)]
pub(super) struct Ports {
    /// Where tunnels may lead.
    tunnels: Vec<u16>,
}

/// Ports from 1024 on at which browsers ask nobody, since something else is spoken there (the Fetch
/// Standard, "port blocking").
const OF_OTHERS: [u16; 19] = [
    1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669,
    6679, 6697, 10080,
];

impl Ports {
    pub(super) fn new(tunnels: Vec<u16>) -> Self {
        Self { tunnels }
    }

    /// Judges the port of what is asked for.
    ///
    /// # Errors
    ///
    /// If nobody is asked there.
    pub(super) fn judge(&self, asked: &Asked) -> Result<(), Why> {
        let port = asked.port();
        let is_allowed = port > 0 && self.tunnels.contains(&port);
        match asked {
            _ if is_allowed => Ok(()),
            Asked::Message(_) if is_of_the_web(port) => Ok(()),
            Asked::Message(_) => Err(Why::Port(port)),
            Asked::Tunnel(_) => Err(Why::TunnelPort(port)),
        }
    }
}

fn is_of_the_web(port: u16) -> bool {
    matches!(port, 80 | 443 | 1024..) && !OF_OTHERS.contains(&port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tunnels_lead_where_it_is_allowed_and_requests_to_the_web_too() {
        let check = |ports: &[u16], port: u16, messages: bool, tunnels: bool| {
            let ports = Ports::new(ports.to_vec());
            let at = |scheme: &str| format!("{scheme}://a:{port}").parse().unwrap();
            let judged = [Asked::Message(at("http")), Asked::Tunnel(at("tcp"))];
            let judged = judged.map(|asked| ports.judge(&asked).is_ok());
            assert_eq!(judged, [messages, tunnels], "{port}");
        };
        check(&[443], 443, true, true);
        check(&[443], 80, true, false);
        check(&[443], 8443, true, false);
        check(&[443, 8443], 8443, true, true);
        check(&[443], 22, false, false);
        check(&[443], 1023, false, false);
        check(&[443], 1024, true, false);
        check(&[443], 65535, true, false);
        check(&[443], 6667, false, false);
        check(&[22], 22, true, true);
        check(&[], 443, true, false);
        check(&[0], 0, false, false);
    }
}
