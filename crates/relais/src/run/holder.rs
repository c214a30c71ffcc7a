//! Who listens where somebody else would, as far as `/proc` tells us.

use std::{
    fmt, fs,
    net::{IpAddr, SocketAddr},
    path::Path,
};

/// A process that listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    name: String,
    pid: u32,
}

impl Holder {
    /// Whether it is this process.
    pub(crate) fn is_us(&self) -> bool {
        self.pid == std::process::id()
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (process {})", self.name, self.pid)
    }
}

/// The process that is in the way of a listener at one of these addresses. `None` if there is
/// none, or if it is not ours to look at.
pub(crate) fn find(wanted: &[SocketAddr]) -> Option<Holder> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let links: Vec<String> = tables
        .into_iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| listening(&table, wanted))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    if links.is_empty() {
        return None;
    }
    fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        has_one_of(&entry.path(), &links).then(|| Holder { name: name(&entry.path()), pid })
    })
}

/// The inodes of the sockets in `table` that listen where one of `wanted` would.
///
/// *Shape*: `sl local_address rem_address st … inode`, columns 0 to 9; address and port in hex.
fn listening(table: &str, wanted: &[SocketAddr]) -> Vec<String> {
    const LISTEN: &str = "0A";
    let lines = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let is_in_the_way = |at: SocketAddr| wanted.iter().any(|wanted| excludes(at, *wanted));
    lines
        .filter(|columns| columns.get(3) == Some(&LISTEN))
        .filter(|columns| {
            columns.get(1).and_then(|local| address(local)).is_some_and(is_in_the_way)
        })
        .filter_map(|columns| columns.get(9).map(|inode| (*inode).to_owned()))
        .collect()
}

/// Whether a listener at `there` keeps another from `wanted`.
fn excludes(there: SocketAddr, wanted: SocketAddr) -> bool {
    let (held, asked) = (there.ip().to_canonical(), wanted.ip().to_canonical());
    let same_family = held.is_ipv4() == asked.is_ipv4();
    // A listener at `[::]` takes IPv4 too, unless it was told not to.
    let holds = held.is_unspecified() && (same_family || held.is_ipv6());
    let covers = asked.is_unspecified() && same_family;
    there.port() == wanted.port() && (held == asked || holds || covers)
}

/// An address as the kernel prints it: words of 32 bits in the machine's own order, then the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (words, port) = text.split_once(':')?;
    let word = |at| Some(u32::from_str_radix(words.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
    let ip = match words.len() {
        8 => IpAddr::from(word(0)?),
        32 => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?];
            IpAddr::from(<[u8; 16]>::try_from(words.as_flattened()).ok()?)
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

fn has_one_of(process: &Path, links: &[String]) -> bool {
    let Ok(open) = fs::read_dir(process.join("fd")) else { return false };
    open.flatten()
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .any(|target| links.iter().any(|link| target.as_os_str() == link.as_str()))
}

fn name(process: &Path) -> String {
    let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
    name.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_ourselves() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        assert!(find(&[at]).unwrap().is_us());
        assert!(find(&[SocketAddr::new([0; 4].into(), at.port())]).unwrap().is_us());
        assert_eq!(find(&[SocketAddr::new([127, 0, 0, 2].into(), at.port())]), None);
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn reads_the_kernels_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
                       0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4242 1\n\
                       1: 0100007F:1F90 0100007F:8888 01 00000000:00000000 00:00000000 00000000  1000        0 4243 1\n\
                       2: 0200007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4244 1\n";
        let of = |at: &str| listening(table, &[at.parse().unwrap()]);
        assert_eq!(of("127.0.0.1:8080"), ["4242"]);
        assert_eq!(of("0.0.0.0:8080"), ["4242", "4244"]);
        assert!(of("127.0.0.1:8081").is_empty());
        assert!(of("[::1]:8080").is_empty());
        let six = address("00000000000000000000000001000000:1F90");
        assert_eq!(six, Some("[::1]:8080".parse().unwrap()));
        assert_eq!(address("0100:1F90"), None);
    }

    #[test]
    fn wildcards_are_in_the_way_of_what_they_hold() {
        let check = |there: &str, wanted: &str, expect| {
            let is = excludes(there.parse().unwrap(), wanted.parse().unwrap());
            assert_eq!(is, expect, "{there} {wanted}");
        };
        check("0.0.0.0:1", "127.0.0.1:1", true);
        check("[::]:1", "127.0.0.1:1", true);
        check("[::]:1", "[::1]:1", true);
        check("0.0.0.0:1", "[::1]:1", false);
        check("[::ffff:127.0.0.1]:1", "127.0.0.1:1", true);
        check("127.0.0.1:1", "[::]:1", false);
        check("127.0.0.1:1", "127.0.0.2:1", false);
    }
}
