//! What the client says of its own, in the language of who reads.

use relais_hub::words::Text;

/// Once a connection is lost.
pub(super) const LOST: Text = Text {
    en: "the connection is lost; calling again",
    fr: "la connexion est perdue ; nouvel appel",
};

/// Once it is there again.
pub(super) const BACK: Text = Text { en: "connected again", fr: "de nouveau connecté" };

/// To who wants to be somebody else.
pub(super) const SOMEBODY_ALREADY: Text = Text {
    en: "you are somebody already: `relais chat --user NAME` is somebody else",
    fr: "vous êtes déjà quelqu'un : `relais chat --user NOM` est quelqu'un d'autre",
};

/// To who wants to be nobody.
pub(super) const HOW_TO_UNREGISTER: Text = Text {
    en: "`/unregister PASSWORD` deletes your account, for good",
    fr: "`/unregister MOT DE PASSE` supprime votre compte, pour de bon",
};

/// Before the rooms that one may come into.
pub(super) const INVITED_TO: Text =
    Text { en: "you are invited to", fr: "vous êtes invité dans" };

/// Before the room that a script was in.
pub(super) const OUT_OF: Text = Text { en: "you are no longer in", fr: "vous n'êtes plus dans" };

/// To who leaves before all is answered.
pub(super) const WAITING: Text = Text {
    en: "waiting for answers; Ctrl-C leaves without them",
    fr: "en attente de réponses ; Ctrl-C sort sans elles",
};

/// Of what nobody knows whether it was done.
pub(super) const UNSURE: Text = Text {
    en: "the connection was lost before an answer: see whether it was done",
    fr: "la connexion a été perdue avant une réponse : voyez si c'est fait",
};

/// Where no token can be kept; why follows.
pub(super) const NO_TOKEN: Text = Text {
    en: "the next login asks for the password: no token is kept",
    fr: "la prochaine connexion demandera le mot de passe : aucun jeton n'est gardé",
};

/// Where the token that was kept logs nobody in any more.
pub(super) const NO_USE: Text = Text {
    en: "the token that was kept is of no use any more: logging in with the password",
    fr: "le jeton gardé ne sert plus à rien : connexion par le mot de passe",
};

/// Behind the name of who was to have an account made.
pub(super) const HAS_ACCOUNT: Text = Text {
    en: "has an account here already: logging in with this password",
    fr: "a déjà un compte ici : connexion par ce mot de passe",
};

/// Before the reason of a refusal.
pub(super) const REFUSES: Text = Text { en: "the hub refuses", fr: "le serveur refuse" };

/// To who exports while an export is written; its file follows.
pub(super) const ONE_IS_EXPORTED: Text =
    Text { en: "an export is being written already:", fr: "un export est déjà en cours :" };

/// Behind how many lines of an export there are; the file follows.
pub(super) const WRITTEN_TO: Text = Text { en: "lines written to", fr: "lignes écrites dans" };

/// Before a file that is not written, and why.
pub(super) const NOT_EXPORTED: Text = Text { en: "not written to", fr: "pas écrit dans" };

/// Of a name that is taken.
pub(super) const THERE_ALREADY: Text = Text {
    en: "there is something of that name already, which stays: name a new file",
    fr: "il y a déjà quelque chose de ce nom, qui reste : nommez un nouveau fichier",
};

/// Of a name that a folder has.
pub(super) const IS_A_FOLDER: Text = Text {
    en: "this is a folder: name a new file, in it or elsewhere",
    fr: "c'est un dossier : nommez un nouveau fichier, dedans ou ailleurs",
};

/// Of a path as a shell would read it.
pub(super) const NO_HOME: Text = Text {
    en: "there is no folder called `~` here: write the home's path in full",
    fr: "il n'y a pas de dossier nommé `~` ici : écrivez le chemin complet",
};

/// Of a path that leads nowhere.
pub(super) const NO_SUCH_FOLDER: Text =
    Text { en: "there is no such folder", fr: "ce dossier n'existe pas" };

/// Of a room that is not there, whose name follows.
pub(super) const NO_ROOM: Text =
    Text { en: "there is no room called", fr: "il n'y a pas de salon appelé" };

/// How it comes to be.
pub(super) const CREATE_IT: Text = Text { en: "`--create` makes it", fr: "`--create` le crée" };

/// Which is like it; one that is follows.
pub(super) const IS_IT: Text = Text { en: "did you mean", fr: "vouliez-vous dire" };

/// Where nobody may make any, the rooms follow.
pub(super) const THERE_ARE: Text = Text { en: "there are", fr: "il y a" };
