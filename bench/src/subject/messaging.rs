//! Servers of messages: as fast as they let their clients be.

use super::{Place, Setup, words};

/// ngIRCd, without penalties for who says much.
pub(super) fn ngircd(Place { scratch, http, .. }: &Place) -> Setup {
    let config = format!(
        "\
[Global]
    Name = irc.bench.test
    Info = bench
    AdminInfo1 = bench
    Listen = 127.0.0.1
    Ports = {http}
    MotdPhrase = bench
    ServerUID = nobody
    ServerGID = nogroup
[Limits]
    MaxConnections = 0
    MaxConnectionsIP = 0
    MaxJoins = 0
    MaxPenaltyTime = 0
    PingTimeout = 3600
[Options]
    DNS = no
    Ident = no
    PAM = no
"
    );
    Setup {
        command: words(&["ngircd", "-n", "-f", &format!("{scratch}/ngircd.conf")]),
        files: vec![("ngircd.conf", config)],
        ..Setup::default()
    }
}

/// `InspIRCd`, without limits to how much a client says, or is told.
pub(super) fn inspircd(Place { scratch, http, .. }: &Place) -> Setup {
    let config = format!(
        "\
<server name=\"irc.bench.test\" description=\"bench\" network=\"bench\" id=\"001\">
<admin name=\"bench\" email=\"bench@bench.test\" nick=\"bench\">
<bind address=\"127.0.0.1\" port=\"{http}\" type=\"clients\">
<connect name=\"all\" allow=\"*\" timeout=\"60\" pingfreq=\"3600\" hardsendq=\"64M\" softsendq=\"64M\" \
recvq=\"64K\" threshold=\"1000000\" commandrate=\"100000000\" fakelag=\"no\" localmax=\"20000\" \
globalmax=\"20000\" maxconnwarn=\"no\" resolvehostnames=\"no\">
<performance softlimit=\"20000\" somaxconn=\"4096\">
<options defaultmodes=\"\">
<pid file=\"{scratch}/inspircd.pid\">
<log method=\"file\" type=\"*\" level=\"sparse\" target=\"{scratch}/inspircd.log\">
"
    );
    let file = format!("{scratch}/inspircd.conf");
    Setup {
        command: words(&["inspircd", "--nofork", "--runasroot", "--config", &file]),
        files: vec![("inspircd.conf", config)],
        ..Setup::default()
    }
}

/// NATS, as it comes.
pub(super) fn nats_server(Place { scratch, http, .. }: &Place) -> Setup {
    let config = format!("listen: 127.0.0.1:{http}\nping_interval: 3600\nmax_pending: 67108864\n");
    let file = format!("{scratch}/nats.conf");
    Setup {
        command: words(&["nats-server", "-c", &file]),
        files: vec![("nats.conf", config)],
        ..Setup::default()
    }
}
