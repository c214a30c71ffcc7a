//! Datagrams to one server: nobody is called, but an address of it is found and kept to.

use std::net::{IpAddr, SocketAddr};

use tokio::{
    net::UdpSocket,
    time::{Instant, timeout},
};

use super::{Access, Callee, DialError, Dialer, Stage, Timings, error::Failed, race::in_turns};
use crate::{Client, Endpoint, Host, Scheme, datagrams::connected};

/// A socket for datagrams to and from one address alone.
#[derive(Debug)]
pub struct DialedDatagrams {
    /// Connected: what others send does not come to it.
    pub socket: UdpSocket,
    /// Whose datagrams it takes.
    pub address: SocketAddr,
    /// How long it took.
    pub timings: Timings,
}

impl Dialer {
    /// Opens a socket for datagrams to `endpoint`, of whose addresses the first is taken that there is
    /// a way to. Nothing is sent: whether somebody is there shows when something is.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// [`DialError`]; [`DialError::Uncallable`] for an endpoint of streams, too.
    pub async fn dial_datagrams(&self, endpoint: &Endpoint) -> Result<DialedDatagrams, DialError> {
        let uncallable = |why| DialError::Uncallable { endpoint: endpoint.clone(), why };
        let at = endpoint.host_port().filter(|_| endpoint.scheme == Scheme::Udp);
        let at = at.ok_or_else(|| uncallable("it is not of datagrams"))?;
        match at.host {
            Host::Any => return Err(uncallable("there is no host to send to")),
            _ if at.port == 0 => return Err(uncallable("nobody can be reached at port 0")),
            Host::Ip(_) | Host::Name(_) => {}
        }
        let start = Instant::now();
        let callee = |address| Callee { endpoint: endpoint.clone(), address };
        let found = self.find(Client::Local, (endpoint, &at.host));
        let found = timeout(self.limits.connect_max, found).await;
        let mut ips = found.map_err(|_| self.timed_out(Stage::Resolve, callee(None)))??;
        let timings = Timings { resolve: start.elapsed(), ..Timings::default() };
        let source = self.limits.source;
        ips.retain(|ip| source.is_none_or(|source| source.is_ipv4() == ip.is_ipv4()));
        let mut failed = Vec::new();
        for address in in_turns(&ips, at.port) {
            match (self.access)(address) {
                Access::Denied => failed.push((address, Failed::Denied)),
                Access::Allowed => match open(address, source) {
                    Ok(socket) => return Ok(DialedDatagrams { socket, address, timings }),
                    Err(error) => failed.push((address, Failed::System(error))),
                },
            }
        }
        Err(DialError::of_calls(endpoint, failed))
    }
}

fn open(address: SocketAddr, source: Option<IpAddr>) -> std::io::Result<UdpSocket> {
    UdpSocket::from_std(connected(address, source)?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        DialLimits,
        tls::{Connector, Demand, Roots, Trust},
    };

    fn dialer(source: Option<IpAddr>) -> Dialer {
        let demand = Demand { trust: Trust::Roots(Roots::none()), server_name: None, own: None };
        let most = Duration::from_secs(5);
        let limits = DialLimits { connect_max: most, handshake_max: most, source, keepalive: None };
        Dialer::new(limits, Connector::new(&demand).unwrap())
    }

    #[tokio::test]
    async fn datagrams_go_to_a_name_and_come_back() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        let endpoint = format!("udp://127.0.0.1:{port}").parse().unwrap();
        let source = Some("127.0.0.9".parse().unwrap());
        let dialed = dialer(source).dial_datagrams(&endpoint).await.unwrap();
        assert_eq!(dialed.address, server.local_addr().unwrap());
        dialed.socket.send(b"hi").await.unwrap();
        let (_, from) = server.recv_from(&mut [0; 8]).await.unwrap();
        assert_eq!(Some(from.ip()), source);
    }

    #[tokio::test]
    async fn where_no_datagram_can_be_sent_is_told() {
        let check = async |text: &str, expect: &str| {
            let error = dialer(None).dial_datagrams(&text.parse().unwrap()).await.unwrap_err();
            assert_eq!(error.to_string(), expect);
        };
        let nobody = "nobody can be called at ";
        check("udp://:53", &format!("{nobody}udp://:53: there is no host to send to")).await;
        let port = format!("{nobody}udp://127.0.0.1:0: nobody can be reached at port 0");
        check("udp://127.0.0.1:0", &port).await;
        let tcp = format!("{nobody}tcp://127.0.0.1:1: it is not of datagrams");
        check("tcp://127.0.0.1:1", &tcp).await;
    }
}
