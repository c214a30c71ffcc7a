//! A password as it is kept: hashed, slowly on purpose.

use std::{fmt, str::FromStr};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{
        Error,
        phc::{Output, ParamsString, PasswordHash, Salt},
        try_generate_salt,
    },
};

use super::Slate;

/// What one verification may cost, so that a slip in a table does not stop the machine: memory in
/// KiB, passes, lanes, and the logarithm of bcrypt's rounds.
const ARGON2_MEMORY_MAX: u32 = 1 << 20;
const ARGON2_PASSES_MAX: u32 = 32;
const ARGON2_LANES_MAX: u32 = 16;
const BCRYPT_COST: std::ops::RangeInclusive<u32> = 4..=16;

/// What OWASP's Password Storage Cheat Sheet asks of argon2id: 19 MiB, two passes, one lane.
const PARAMS: Params = match Params::new(19 * 1024, 2, 1, Some(32)) {
    Ok(params) => params,
    Err(_) => panic!("parameters that argon2 has"),
};

/// A hash that no password is known to have, and that takes as long as those of [`hash_password`].
/// Verified for who is not there, so that nobody can tell by the time it takes.
pub const NOBODYS_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$\
                                AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A password, hashed.
///
/// *Shape*: argon2id's PHC string (`$argon2id$v=19$…`) or bcrypt's (`$2y$…`, `$2b$…`, `$2a$…`, which
/// knows a password's first 72 bytes only). Never printed.
pub struct Hashed(Kind);

enum Kind {
    Argon2id(Box<PasswordHash>),
    Bcrypt(Box<str>),
}

/// Why a text is not a [`Hashed`] password. Never says what the text was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongHash {
    /// A hash that is quickly guessed from, or none at all.
    #[error("{0}: expected argon2id ($argon2id$…) or bcrypt ($2y$…)")]
    Weak(&'static str),
    /// A hash that cannot be read.
    #[error("malformed {0} hash: expected it whole, as `htpasswd -B` or `relais` prints it")]
    Malformed(&'static str),
    /// A hash that would keep the machine busy for too long.
    #[error(
        "too costly a hash: expected at most 1 GiB, {ARGON2_PASSES_MAX} passes and \
         {ARGON2_LANES_MAX} lanes of argon2id, or a cost of 4 to 16 of bcrypt"
    )]
    Costly,
}

impl Hashed {
    /// Whether it is the hash of `password`, found out on `slate`.
    ///
    /// Blocks for as long as the hash is made to take: some 20 ms to seconds.
    pub fn fits(&self, password: &[u8], slate: &mut Slate) -> bool {
        match &self.0 {
            Kind::Argon2id(hash) => fits_argon2id(hash, password, slate).unwrap_or(false),
            Kind::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
        }
    }

    /// Whether [`hash_password`] would make it of the same kind and cost today. Otherwise whoever
    /// sees the password next does well to hash it again.
    pub fn is_current(&self) -> bool {
        let Kind::Argon2id(hash) = &self.0 else { return false };
        let is_newest = hash.version == Some(Version::V0x13.into());
        is_newest && Params::try_from(&**hash).is_ok_and(|params| params == PARAMS)
    }
}

impl FromStr for Hashed {
    type Err = WrongHash;

    fn from_str(hash: &str) -> Result<Self, WrongHash> {
        if hash.starts_with("$argon2id$") {
            return parse_argon2id(hash);
        }
        if ["$2y$", "$2b$", "$2a$"].iter().any(|kind| hash.starts_with(kind)) {
            return parse_bcrypt(hash);
        }
        Err(WrongHash::Weak(weak_kind(hash)))
    }
}

impl fmt::Debug for Hashed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hashed(…)")
    }
}

fn parse_argon2id(hash: &str) -> Result<Hashed, WrongHash> {
    const MALFORMED: WrongHash = WrongHash::Malformed("argon2id");
    let hash = PasswordHash::new(hash).map_err(|_| MALFORMED)?;
    let params = Params::try_from(&hash).map_err(|_| MALFORMED)?;
    let version = hash.version.unwrap_or(Version::V0x13.into());
    if hash.salt.is_none() || hash.hash.is_none() || Version::try_from(version).is_err() {
        return Err(MALFORMED);
    }
    if params.m_cost() > ARGON2_MEMORY_MAX
        || params.t_cost() > ARGON2_PASSES_MAX
        || params.p_cost() > ARGON2_LANES_MAX
    {
        return Err(WrongHash::Costly);
    }
    Ok(Hashed(Kind::Argon2id(Box::new(hash))))
}

fn parse_bcrypt(hash: &str) -> Result<Hashed, WrongHash> {
    let parts: bcrypt::HashParts = hash.parse().map_err(|_| WrongHash::Malformed("bcrypt"))?;
    if BCRYPT_COST.contains(&parts.get_cost()) {
        Ok(Hashed(Kind::Bcrypt(hash.into())))
    } else {
        Err(WrongHash::Costly)
    }
}

fn weak_kind(hash: &str) -> &'static str {
    const KINDS: [(&str, &str); 7] = [
        ("$apr1$", "an MD5 hash"),
        ("$1$", "an MD5 hash"),
        ("{SHA}", "an SHA-1 hash"),
        ("{SSHA}", "an SHA-1 hash"),
        ("$5$", "an SHA-256 crypt hash"),
        ("$6$", "an SHA-512 crypt hash"),
        ("$argon2", "an argon2i or argon2d hash"),
    ];
    let known = KINDS.iter().find(|(start, _)| hash.starts_with(start));
    known.map_or("neither an argon2id nor a bcrypt hash", |(_, kind)| kind)
}

fn fits_argon2id(hash: &PasswordHash, password: &[u8], slate: &mut Slate) -> Result<bool, Error> {
    let (Some(salt), Some(kept)) = (&hash.salt, &hash.hash) else { return Ok(false) };
    let version = hash.version.map_or(Ok(Version::V0x13), Version::try_from)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, version, Params::try_from(hash)?);
    let mut made = [0; Output::MAX_LENGTH];
    let made = made.get_mut(..kept.len()).ok_or(Error::OutputSize)?;
    slate.derive(&argon2, (password, salt), made)?;
    // Compared in constant time, as outputs are.
    Ok(Output::new(made)? == *kept)
}

/// [Hashes](hash_password_on) a new password in memory of its own.
///
/// Blocks for some 20 ms.
///
/// # Panics
///
/// If the system has no random numbers, or no 19 MiB of memory.
pub fn hash_password(password: &str) -> String {
    hash_password_on(&mut Slate::default(), password)
}

/// Hashes a new password with argon2id, a random salt and the parameters that OWASP asks for, on
/// `slate`.
///
/// Blocks for some 20 ms.
///
/// # Panics
///
/// As [`hash_password`].
pub fn hash_password_on(slate: &mut Slate, password: &str) -> String {
    make(slate, (password, PARAMS))
        .expect("a password of less than 4 GiB, and a system with random numbers and memory")
        .to_string()
}

fn make(slate: &mut Slate, (password, params): (&str, Params)) -> Result<PasswordHash, Error> {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let salt = Salt::new(&try_generate_salt()?)?;
    let mut made = [0; Params::DEFAULT_OUTPUT_LEN];
    slate.derive(&argon2, (password.as_bytes(), &salt), &mut made)?;
    Ok(PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(argon2.params())?,
        salt: Some(salt),
        hash: Some(Output::new(&made)?),
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// bcrypt's smallest cost, to be quick: `htpasswd -nbB -C 4 ada pw`.
    const BCRYPT: &str = "$2y$04$";

    pub(in crate::auth) fn bcrypt_of(password: &str) -> String {
        bcrypt::hash(password, 4).unwrap()
    }

    /// argon2id's smallest cost, to be quick.
    pub(in crate::auth) fn argon2id_of(password: &str) -> String {
        let params = Params::new(8, 1, 1, None).unwrap();
        make(&mut Slate::default(), (password, params)).unwrap().to_string()
    }

    fn read(hash: &str) -> Hashed {
        hash.parse().unwrap()
    }

    #[test]
    fn a_made_hash_has_the_advised_cost_and_fits_its_password() {
        let hash = hash_password("pw");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, hash_password("pw"), "salted");
        assert!(read(&hash).fits(b"pw", &mut Slate::default()));
        assert!(!read(&hash).fits(b"pW", &mut Slate::default()));
        assert!(read(&hash).is_current());
    }

    #[test]
    fn what_cost_more_or_less_or_is_another_kind_is_not_current() {
        let (made, quick) = (hash_password("pw"), argon2id_of("pw"));
        for (one, other) in [("m=19456", "m=19457"), ("t=2", "t=3"), ("p=1", "p=2"), ("=19", "=16")]
        {
            assert!(!read(&made.replacen(one, other, 1)).is_current(), "{other}");
        }
        assert!(!read(&quick).is_current());
        assert!(!read(&bcrypt_of("pw")).is_current());
    }

    #[test]
    fn nobodys_hash_costs_what_a_new_one_does_and_fits_nothing() {
        let nobodys = read(NOBODYS_HASH);
        assert!(nobodys.is_current());
        for password in ["", "pw", NOBODYS_HASH] {
            assert!(!nobodys.fits(password.as_bytes(), &mut Slate::default()), "{password}");
        }
    }

    #[test]
    fn malformed_and_costly_hashes_are_refused() {
        let wrong = |hash: &str| hash.parse::<Hashed>().unwrap_err();
        let argon2id = argon2id_of("x");
        for cut in ["$argon2id$".len(), argon2id.len() - 60, argon2id.rfind('$').unwrap()] {
            assert_eq!(wrong(&argon2id[..cut]), WrongHash::Malformed("argon2id"), "{cut}");
        }
        assert_eq!(wrong(BCRYPT), WrongHash::Malformed("bcrypt"));
        assert_eq!(wrong(&format!("{}:x", bcrypt_of("x"))), WrongHash::Malformed("bcrypt"));
        let old = argon2id.replace("v=19", "v=18");
        assert_eq!(wrong(&old), WrongHash::Malformed("argon2id"));
        for costly in ["m=1048577,t=1,p=1", "m=8,t=33,p=1", "m=256,t=1,p=17"] {
            assert_eq!(wrong(&argon2id.replace("m=8,t=1,p=1", costly)), WrongHash::Costly);
        }
        for costly in ["$31$", "$17$", "$03$"] {
            assert_eq!(wrong(&bcrypt_of("x").replace("$04$", costly)), WrongHash::Costly);
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(kind in "|[$]argon2id[$]|[$]2[aby][$]", rest in "[$=,avmtp0-9A-Z./]{0,80}") {
            let _ = format!("{kind}{rest}").parse::<Hashed>();
        }
    }

    #[test]
    fn debug_shows_no_hash() {
        assert_eq!(format!("{:?}", read(&argon2id_of("x"))), "Hashed(…)");
    }
}
