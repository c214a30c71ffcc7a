//! What the screen itself says.

use relais_hub::words::Text;

pub(super) const NOWHERE: Text = Text {
    en: "You are in no room yet.\n/rooms lists them, /join ROOM comes into one or makes it,\n/msg NAME TEXT says something to one person. F1 helps.",
    fr: "Vous n'êtes dans aucun salon.\n/rooms en donne la liste, /join SALON entre dans un salon ou le crée,\n/msg NOM TEXTE parle à une personne. F1 aide.",
};
pub(super) const INVITED: Text = Text {
    en: "You are invited to this room: Enter comes in, /leave declines.",
    fr: "Vous êtes invité dans ce salon : Entrée y entre, /leave décline.",
};
pub(super) const LOST: Text =
    Text { en: "not connected; what you say waits", fr: "pas de connexion ; vos mots attendent" };
pub(super) const WAITING: Text =
    Text { en: "not with the hub yet", fr: "pas encore chez le serveur" };
pub(super) const LEAVE_ANYWAY: Text = Text {
    en: "something is not with the hub yet: once more leaves without it",
    fr: "tout n'est pas encore chez le serveur : encore une fois pour sortir",
};
pub(super) const TOO_MUCH: Text = Text {
    en: "too much is not with the hub yet: wait for it",
    fr: "trop de messages ne sont pas encore chez le serveur : attendez",
};
pub(super) const TOO_LONG: Text = Text {
    en: "too long for a message: it was not put in",
    fr: "trop long pour un message : rien n'a été mis",
};
pub(super) const NOT_SAID: Text = Text { en: "not said", fr: "pas dit" };
pub(super) const NEW: Text = Text { en: "new", fr: "nouveau" };
pub(super) const TAKEN_OUT: Text = Text { en: "(taken out)", fr: "(retiré)" };
pub(super) const EDITED: Text = Text { en: " (edited)", fr: " (corrigé)" };
pub(super) const AN_OLDER: Text = Text { en: "an older message", fr: "un message plus ancien" };
pub(super) const WRITES: Text = Text { en: "is writing", fr: "écrit" };
pub(super) const WRITE: Text = Text { en: "are writing", fr: "écrivent" };
pub(super) const OLD_PART: Text = Text {
    en: "older messages: Esc goes to the newest",
    fr: "anciens messages : Échap va aux derniers",
};
pub(super) const BELOW: Text = Text { en: "more below: Esc", fr: "suite plus bas : Échap" };
pub(super) const ROOMS: Text = Text { en: "rooms", fr: "salons" };
pub(super) const MEMBERS: Text = Text { en: "who is in the room", fr: "qui est dans le salon" };
pub(super) const HELP: Text = Text { en: "help", fr: "aide" };
pub(super) const FOUND: Text = Text { en: "found", fr: "trouvé" };
pub(super) const NOTHING_FOUND: Text =
    Text { en: "nothing has these words", fr: "rien n'a ces mots" };
pub(super) const SEARCHING: Text = Text { en: "searching…", fr: "recherche…" };
pub(super) const ANSWER: Text = Text { en: "answer", fr: "réponse" };
pub(super) const CLOSES: Text = Text { en: "Esc closes", fr: "Échap ferme" };
pub(super) const GOES_THERE: Text = Text { en: "Enter goes there", fr: "Entrée y va" };
pub(super) const BARE: Text =
    Text { en: "— any key goes back —", fr: "— une touche pour revenir —" };
pub(super) const CHOSEN: Text = Text {
    en: "r reply  e edit  + sign  d delete  F5 copy  Esc",
    fr: "r répondre  e corriger  + signe  d retirer  F5 copier  Échap",
};
pub(super) const REPLY_TO: Text = Text { en: "reply to", fr: "réponse à" };
pub(super) const EDITING: Text = Text { en: "say it otherwise", fr: "le dire autrement" };
pub(super) const REACTING: Text = Text { en: "a sign, such as 👍", fr: "un signe, comme 👍" };
pub(super) const DELETING: Text = Text {
    en: "delete? Enter does, with a reason or without; Esc does not",
    fr: "retirer ? Entrée le fait, avec ou sans raison ; Échap non",
};
pub(super) const NOT_YOURS: Text =
    Text { en: "only its author says it otherwise", fr: "seul son auteur le dit autrement" };
pub(super) const MOUSE_TAKEN: Text = Text {
    en: "the mouse is ours; Shift marks text in most terminals",
    fr: "la souris est à nous ; Maj marque du texte dans la plupart des terminaux",
};
pub(super) const MOUSE_GIVEN: Text = Text {
    en: "the mouse is the terminal's: it marks text",
    fr: "la souris est au terminal : elle marque du texte",
};
pub(super) const DIALOGUE: Text = Text { en: "dialogue", fr: "dialogue" };
pub(super) const FREELY: Text =
    Text { en: "whoever likes; fin ends it", fr: "libre ; fin y met fin" };
pub(super) const YOUR_TURN: Text = Text { en: "your turn", fr: "à vous" };
pub(super) const THE_TURN_OF: Text = Text { en: "the turn of", fr: "à" };
pub(super) const MUTED: Text = Text { en: "muted", fr: "muet" };
pub(super) const ALL_NOTICED: Text = Text { en: "all is told you", fr: "tout vous est signalé" };
pub(super) const NOT_DISTURBED: Text = Text { en: "quiet", fr: "silence" };
pub(super) const UNTIL: Text = Text { en: "until", fr: "jusqu'à" };
pub(super) const SAYS_TO_YOU: Text = Text { en: "to you", fr: "pour vous" };

/// Why nothing is exported from a hub that refused who looks, or that they logged out of.
pub(super) const NOT_ASKED: Text =
    Text { en: "this hub is asked nothing any more", fr: "on ne demande plus rien à ce serveur" };
