//! One side of an association: frames become datagrams here, and datagrams frames, each once.

use relais_net::sealing::{KEY_BYTES, Sealing, Signing, TAG_BYTES, derive, is_same};
use relais_wire::datagram::{
    HEAD_BYTES, Head, MAC_BYTES, SIGNED_BYTES_MAX, Sid, read_signed, write_mac, write_signed,
};

use super::window::Window;

/// The longest datagram: what every way takes in one piece.
pub(crate) const DATAGRAM_BYTES_MAX: usize = 1200;

/// What datagrams are like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Nobody else reads them.
    #[default]
    Sealed,
    /// Everybody may read them, and nobody else can write them: to be looked at.
    Readable,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Hub,
    Client,
}

/// What a datagram is dropped for, without a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Dropped {
    /// It is none of ours, or nobody's that is known.
    #[error("it is nobody's")]
    Foreign,
    /// Nobody who has the key made it.
    #[error("it is forged")]
    Forged,
    /// It was heard before, or is too old to tell.
    #[error("it came before")]
    Replayed,
    /// It is too short for an answer to where nobody is known to be.
    #[error("it is too short to be answered")]
    Short,
    /// As much waits as may.
    #[error("too much is asked at once")]
    Busy,
}

/// One side of an association. No number is used twice for one key, which both sides forget when they
/// end.
#[derive(Debug)]
pub(crate) struct Channel {
    sid: Sid,
    says: Lock,
    hears: Lock,
    /// The last number that was used.
    last: u64,
    window: Window,
}

#[derive(Debug)]
enum Lock {
    Sealing(Sealing),
    Signing(Signing),
}

impl Form {
    /// As clients are told.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::Readable => "mac",
        }
    }

    /// The longest frame that fits a datagram.
    pub(crate) fn frame_bytes_max(self) -> usize {
        match self {
            Self::Sealed => DATAGRAM_BYTES_MAX - HEAD_BYTES - TAG_BYTES,
            Self::Readable => DATAGRAM_BYTES_MAX - SIGNED_BYTES_MAX,
        }
    }

    /// The key of what goes one way, made of what both sides were told.
    fn lock(self, key: &[u8; KEY_BYTES], sid: Sid, says: Side) -> Lock {
        let way = match says {
            Side::Client => "to hub",
            Side::Hub => "to client",
        };
        let purpose = format!("relais-chat/1 {} {way}", self.name());
        let key = derive(key, &sid, purpose.as_bytes());
        match self {
            Self::Sealed => Lock::Sealing(Sealing::new(&key)),
            Self::Readable => Lock::Signing(Signing::new(&key)),
        }
    }
}

impl Channel {
    /// The side of `side`, of what both were told.
    pub(crate) fn new(sid: Sid, key: &[u8; KEY_BYTES], (form, side): (Form, Side)) -> Self {
        let other = match side {
            Side::Hub => Side::Client,
            Side::Client => Side::Hub,
        };
        let (says, hears) = (form.lock(key, sid, side), form.lock(key, sid, other));
        Self { sid, says, hears, last: 0, window: Window::default() }
    }

    /// The datagram that says `frame`, an object without a line end.
    pub(crate) fn say(&mut self, frame: &[u8]) -> Vec<u8> {
        self.last = self.last.checked_add(1).expect("fewer than there are numbers");
        let head = Head { sid: self.sid, n: self.last };
        let mut datagram = Vec::with_capacity(frame.len() + SIGNED_BYTES_MAX);
        match &self.says {
            Lock::Sealing(sealing) => {
                datagram.extend_from_slice(frame);
                sealing.seal(head.n, &head.bytes(), &mut datagram);
                datagram.splice(..0, head.bytes());
            }
            Lock::Signing(signing) => {
                write_signed(head, frame, &mut datagram);
                let mac = mac(signing, &datagram);
                write_mac(&mac, &mut datagram);
            }
        }
        datagram
    }

    /// The frame that `datagram` says.
    ///
    /// # Errors
    ///
    /// What it is dropped for.
    pub(crate) fn hear(&mut self, datagram: &[u8]) -> Result<Vec<u8>, Dropped> {
        let (head, frame) = match &self.hears {
            Lock::Sealing(sealing) => open(sealing, datagram)?,
            Lock::Signing(signing) => check(signing, datagram)?,
        };
        // Who has the key may say who it is; the hub found it by that.
        if head.sid != self.sid {
            return Err(Dropped::Foreign);
        }
        if !self.window.is_new(head.n) {
            return Err(Dropped::Replayed);
        }
        self.window.note(head.n);
        Ok(frame)
    }
}

fn open(sealing: &Sealing, datagram: &[u8]) -> Result<(Head, Vec<u8>), Dropped> {
    let head = Head::read(datagram).ok_or(Dropped::Foreign)?;
    let (bytes, sealed) = datagram.split_at(HEAD_BYTES);
    let mut sealed = sealed.to_vec();
    let opened = sealing.open(head.n, bytes, &mut sealed).ok_or(Dropped::Forged)?;
    Ok((head, opened.to_vec()))
}

fn check(signing: &Signing, datagram: &[u8]) -> Result<(Head, Vec<u8>), Dropped> {
    let signed = read_signed(datagram).ok_or(Dropped::Foreign)?;
    if !is_same(&mac(signing, signed.signed), &signed.mac) {
        return Err(Dropped::Forged);
    }
    Ok((signed.head, [b"{", signed.fields, b"}"].concat()))
}

fn mac(signing: &Signing, signed: &[u8]) -> [u8; MAC_BYTES] {
    *signing.sign(signed).first_chunk().expect("32 bytes")
}

/// Whose `datagram` says it is; nobody knows yet whether that is true.
pub(crate) fn sid_of(datagram: &[u8]) -> Option<Sid> {
    let head = Head::read(datagram).or_else(|| Some(read_signed(datagram)?.head));
    head.map(|head| head.sid)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SID: Sid = *b"abcdefgh";
    const FORMS: [Form; 2] = [Form::Sealed, Form::Readable];

    fn both(form: Form) -> (Channel, Channel) {
        let side = |side| Channel::new(SID, &[7; KEY_BYTES], (form, side));
        (side(Side::Client), side(Side::Hub))
    }

    #[test]
    fn what_one_side_says_the_other_hears_once() {
        for form in FORMS {
            let (mut client, mut hub) = both(form);
            let datagram = client.say(b"{\"cmd\":\"PING\"}");
            assert_eq!(sid_of(&datagram), Some(SID));
            assert_eq!(hub.hear(&datagram), Ok(b"{\"cmd\":\"PING\"}".to_vec()));
            assert_eq!(hub.hear(&datagram), Err(Dropped::Replayed));
            // Sent back, it is nothing that the hub said.
            assert_eq!(client.hear(&datagram), Err(Dropped::Forged));
            let answer = hub.say(b"{}");
            assert_eq!(client.hear(&answer), Ok(b"{}".to_vec()));
        }
    }

    #[test]
    fn no_two_datagrams_have_one_number() {
        for form in FORMS {
            let (mut client, mut hub) = both(form);
            let said: Vec<_> = (0..100).map(|_| client.say(b"{}")).collect();
            // However they come.
            assert!(said.iter().rev().all(|datagram| hub.hear(datagram).is_ok()), "{form:?}");
        }
    }

    #[test]
    fn the_longest_frame_fits_a_datagram_and_no_longer_one() {
        for form in FORMS {
            let (mut client, _) = both(form);
            client.last = u64::MAX - 2;
            let frame = format!("{{{}}}", "x".repeat(form.frame_bytes_max() - 2));
            assert_eq!(client.say(frame.as_bytes()).len(), DATAGRAM_BYTES_MAX, "{form:?}");
        }
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        for form in FORMS {
            let (mut client, mut hub) = both(form);
            let datagram = client.say(b"{\"cmd\":\"PING\",\"id\":1}");
            for bit in 0..datagram.len() * 8 {
                let mut flipped = datagram.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                let heard = hub.hear(&flipped);
                assert!(matches!(heard, Err(Dropped::Forged | Dropped::Foreign)), "{form:?} {bit}");
            }
            assert!(hub.hear(&datagram).is_ok());
        }
    }

    #[test]
    fn another_key_or_form_makes_other_datagrams() {
        let (mut client, mut hub) = both(Form::Sealed);
        let datagram = client.say(b"{}");
        let mut other = Channel::new(SID, &[8; KEY_BYTES], (Form::Sealed, Side::Hub));
        assert_eq!(other.hear(&datagram), Err(Dropped::Forged));
        let (mut readable, _) = both(Form::Readable);
        assert_eq!(hub.hear(&readable.say(b"{}")), Err(Dropped::Foreign));
    }

    #[test]
    fn keys_are_in_no_debug_output() {
        let shown = format!("{:?}", both(Form::Sealed).0);
        assert!(shown.contains("Sealing(..)") && !shown.contains("7, 7"), "{shown}");
    }

    proptest! {
        #[test]
        fn nothing_panics(datagram: Vec<u8>, rest: Vec<u8>) {
            for form in FORMS {
                let (_, mut hub) = both(form);
                prop_assert!(hub.hear(&datagram).is_err());
                let headed = [&Head { sid: SID, n: 1 }.bytes()[..], &rest].concat();
                prop_assert!(hub.hear(&headed).is_err());
                let _ = sid_of(&datagram);
            }
        }
    }
}
