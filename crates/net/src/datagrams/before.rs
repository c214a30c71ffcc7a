//! What the system tells of datagrams that were sent before, in place of what it is asked for.

use std::io;

use rustix::io::Errno;

/// What an error tells of datagrams that were sent before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// Somebody answered that they do not get there.
    Refused,
    /// They were too long for some part of the way. The system knows now how long they may be.
    TooLong,
    /// Nothing: it was a signal.
    Nothing,
}

/// What `error` tells of datagrams that were sent before, if it may: all that an answer by ICMP becomes
/// (`icmp(7)`; `icmp_err_convert` of Linux, and `tab_unreach` of `ICMPv6`). Some of that may be
/// of the datagram at hand, too.
pub(super) fn of_before(error: &io::Error) -> Option<Before> {
    match Errno::from_io_error(error)? {
        Errno::CONNREFUSED
        | Errno::HOSTUNREACH
        | Errno::NETUNREACH
        | Errno::HOSTDOWN
        | Errno::NONET
        | Errno::NOPROTOOPT
        | Errno::OPNOTSUPP
        | Errno::PROTO
        // Prohibited, by ICMPv6.
        | Errno::ACCESS => Some(Before::Refused),
        Errno::MSGSIZE => Some(Before::TooLong),
        Errno::INTR => Some(Before::Nothing),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    #[test]
    fn what_is_answered_by_icmp_is_of_before_and_what_the_socket_says_is_not() {
        let check = |errno: Errno, expect| {
            assert_eq!(of_before(&errno.into()), expect, "{errno}");
        };
        // Of ICMP's "destination unreachable" by its code, but for 4; "parameter problem"; "time exceeded".
        for errno in [
            Errno::NETUNREACH,
            Errno::HOSTUNREACH,
            Errno::NOPROTOOPT,
            Errno::CONNREFUSED,
            Errno::OPNOTSUPP,
            Errno::HOSTDOWN,
            Errno::NONET,
            Errno::PROTO,
            Errno::ACCESS,
        ] {
            check(errno, Some(Before::Refused));
        }
        check(Errno::MSGSIZE, Some(Before::TooLong));
        check(Errno::INTR, Some(Before::Nothing));
        for errno in [Errno::AGAIN, Errno::BADF, Errno::NOBUFS, Errno::NOMEM, Errno::PERM] {
            check(errno, None);
        }
        assert_eq!(of_before(&ErrorKind::ConnectionRefused.into()), None);
    }
}
