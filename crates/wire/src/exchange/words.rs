//! What is one of a few words in a line.

/// Declares an enum of words: how each is written, and how it is read back.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$doc])* $variant,)*
        }

        impl $name {
            /// Each of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// Finds the one whose word it is.
            pub fn of(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

words! {
    /// Which version of HTTP the client spoke.
    Protocol {
        /// RFC 1945.
        Http10 = "HTTP/1.0",
        /// RFC 9112.
        Http11 = "HTTP/1.1",
        /// RFC 9113.
        Http2 = "HTTP/2",
        /// RFC 9114.
        Http3 = "HTTP/3",
    }
}

words! {
    /// Which version of TLS the client spoke.
    Tls {
        /// RFC 5246.
        V12 = "TLS 1.2",
        /// RFC 8446.
        V13 = "TLS 1.3",
    }
}

words! {
    /// What the cache had to do with the response.
    Cached {
        /// It was there, and fresh.
        Hit = "hit",
        /// It was there and no longer fresh, and was sent all the same.
        Stale = "stale",
        /// It was there, and the upstream said that it is good still.
        Revalidated = "revalidated",
        /// It came for another's request that was on its way already.
        Collapsed = "collapsed",
        /// It was not there, or was good no more.
        Miss = "miss",
        /// The cache was not asked.
        Bypass = "bypass",
    }
}

words! {
    /// How an exchange ended.
    End {
        /// The client got a whole response, whatever its status.
        Whole = "whole",
        /// The client left before.
        CutByClient = "client",
        /// The upstream left before, and the response was broken off.
        CutByUpstream = "upstream",
        /// It was broken off here: at a limit, or at the end of the process.
        CutByUs = "relais",
        /// It was refused here, and no upstream heard of it.
        Refused = "refused",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_back() {
        for &protocol in Protocol::ALL {
            assert_eq!(Protocol::of(protocol.as_str()), Some(protocol));
        }
        for &tls in Tls::ALL {
            assert_eq!(Tls::of(tls.as_str()), Some(tls));
        }
        for &cached in Cached::ALL {
            assert_eq!(Cached::of(cached.as_str()), Some(cached));
        }
        for &end in End::ALL {
            assert_eq!(End::of(end.as_str()), Some(end));
        }
        assert_eq!((Protocol::of(""), Cached::of("HIT"), End::of("hole")), (None, None, None));
    }
}
