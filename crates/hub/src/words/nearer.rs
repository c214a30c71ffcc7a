//! What is said where the code of a refusal, and why, would lead people astray: one sentence in place of both.

use super::lang::Text;
use crate::protocol::{Code, Refusal};

/// Why who has no invitation makes no account.
pub(crate) const NOT_INVITED: &str = "for who was invited";

/// Why an invitation makes no account.
pub(crate) const NO_SUCH_INVITATION: &str = "there is no such invitation";

/// Why no certificate lets in who calls in the clear, or shows none.
pub(crate) const NONE_SHOWN: &str = "no certificate was shown on this connection";

/// Why a certificate lets nobody in.
pub(crate) const UNKNOWN_CERTIFICATE: &str = "no account knows the certificate that you show";

/// Why somebody is connected no more, and never will be by the same account.
pub const DELETED: &str = "the account was deleted";

/// What is said of `refusal`, if that is to be said of it alone.
pub(super) fn nearer(refusal: &Refusal) -> Option<Text> {
    let is_meant =
        |(code, why, _): &&(Code, &str, Text)| (refusal.code, &*refusal.why) == (*code, why);
    NEARER.iter().find(is_meant).map(|(.., text)| *text)
}

const NEARER: [(Code, &str, Text); 5] = [
    (
        Code::RegistrationClosed,
        NO_SUCH_INVITATION,
        Text {
            en: "there is no such invitation: look whether it is whole, or ask for another",
            fr: "cette invitation n'existe pas : voyez si elle est entière, ou demandez-en une autre",
        },
    ),
    (
        Code::RegistrationClosed,
        NOT_INVITED,
        Text {
            en: "accounts are made by invitation here: /register NAME INVITATION, with the one you were given",
            fr: "ici les comptes se créent sur invitation : /register NOM INVITATION, avec celle que vous avez reçue",
        },
    ),
    (
        Code::BadCredentials,
        UNKNOWN_CERTIFICATE,
        Text {
            en: "no account knows the certificate that you show: log in by password, then /cert NAME has it known as yours",
            fr: "aucun compte ne connaît le certificat que vous montrez : connectez-vous par mot de passe, puis /cert NOM le fait connaître comme vôtre",
        },
    ),
    (
        Code::BadCredentials,
        NONE_SHOWN,
        Text {
            en: "no certificate was shown: call over tls:// and show one, where the hub asks for it; else log in by password",
            fr: "aucun certificat n'a été montré : appelez par tls:// et montrez-en un, si le serveur en demande ; sinon, connectez-vous par mot de passe",
        },
    ),
    (
        Code::SessionRevoked,
        DELETED,
        Text {
            en: "this account was deleted: there is no way back into it",
            fr: "ce compte a été supprimé : on n'y revient pas",
        },
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{Lang, sentence};

    #[test]
    fn who_shows_a_certificate_that_nobody_has_hears_nothing_of_names_and_passwords() {
        for why in [UNKNOWN_CERTIFICATE, NONE_SHOWN] {
            let refusal = Refusal::of(Code::BadCredentials).why(why);
            let said = sentence(&refusal, Lang::En);
            assert!(
                said.contains("certificate") && !said.contains("nobody has this name"),
                "{said}"
            );
            assert!(sentence(&refusal, Lang::Fr).contains("certificat"), "{why}");
        }
        let wrong = sentence(&Refusal::of(Code::BadCredentials), Lang::En);
        assert_eq!(wrong, "nobody has this name and password");
    }

    #[test]
    fn who_was_not_invited_is_told_how_an_invitation_is_shown() {
        let refusal = Refusal::of(Code::RegistrationClosed).field("invitation").why(NOT_INVITED);
        let said = Lang::ALL.map(|lang| sentence(&refusal, lang));
        assert!(said[0].contains("/register NAME INVITATION"), "{}", said[0]);
        assert!(said[1].contains("/register NOM INVITATION"), "{}", said[1]);
    }
}
