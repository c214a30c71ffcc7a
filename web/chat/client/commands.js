/**
 * What is typed in the composer: words to say, what this page does in its own way, and commands for the hub.
 */

import { kindOf } from "../core/answers.js";
import { Refused } from "../core/connection.js";
import { isTalk } from "../core/room.js";
import { readTyped } from "../core/typed.js";
import { cameIn, talkTo } from "./acting.js";
import { exportAll } from "./exporting.js";
import { ask, away, logOut, me, state } from "./hub.js";
import { goBack } from "./reading.js";
import { editTyped, reactTyped, redactTyped, say } from "./sending.js";
import { complain, tell } from "./passing.js";
import { aside, beside, dialogue } from "./shown.js";
import { dateOf, LANGS, speak, t } from "./tongue.js";

/**
 * Does what was typed in a room. Gives whether the composer is done with it.
 *
 * @param {string} room
 * @param {string} text
 * @param {?number} reply the entry it answers
 */
export async function doTyped(room, text, reply) {
  const typed = readTyped(text);
  if (!typed) return false;
  if (typed.say !== undefined) {
    say(room, typed.say, { kind: typed.kind, reply });
    return true;
  }
  try {
    if (typed.own) await OWN[typed.own](typed.rest, room, text.trim());
    else await command(room, typed.command);
  } catch (error) {
    complain(error, room);
    return false;
  }
  return true;
}

/** So many messages are gone back over, if it is not said how many. */
const SHOWN_USUAL = 50;

/** Refuses what was typed, for a reason of this page's own: it stays in the composer. */
const refuse = (text) => {
  throw new Refused({ msg: text });
};

const shows = (what) => () => {
  dialogue.value = { ...what };
};

/** About a message that is named by its number. What names none the hub is to refuse. */
const numbered = (act) => (rest, room, line) => {
  const [, seq, words] = /^(\d+)(?:\s+([\s\S]+))?$/.exec(rest) ?? [];
  return seq ? act({ room, line, seq: Number(seq) }, words) : command(room, line);
};

/** The same, with words behind the number. */
const worded = (act) =>
  numbered((about, words) => (words ? act(about, words) : command(about.room, about.line)));

/** What this page does in its own way: each is given what is typed behind it, where, and the whole line. */
const OWN = {
  async talk(rest) {
    const [, name, words] = /^(\S+)\s*([\s\S]*)$/.exec(rest) ?? [];
    if (!name) return refuse(t("whom"));
    const room = await talkTo(name);
    if (words) say(room, words);
    return undefined;
  },
  /** In a talk it need not be said with whom. */
  dialogue(rest, room) {
    const isHere = isTalk(room) && /^(?:turns|tours|free|libre|end|fin)?$/i.test(rest.trim());
    return command(room, `/dialogue ${isHere ? `${room} ${rest}` : rest}`);
  },
  reply: worded(({ room, seq }, words) => say(room, words, { reply: seq })),
  edit: worded(editTyped),
  react: worded((about, sign) => reactTyped(about, sign, true)),
  unreact: worded((about, sign) => reactTyped(about, sign, false)),
  delete: numbered(redactTyped),
  /** Goes to where the last messages begin, or those before a number. */
  history(rest, room, line) {
    if (!/^(?:\d+(?:\s+\d+)?)?$/.test(rest)) return command(room, line);
    const [many = SHOWN_USUAL, before] = rest.split(/\s+/).filter(Boolean).map(Number);
    return goBack(room, Math.max(1, many), before);
  },
  search: (rest) => {
    beside.value = { is: "search", words: rest };
  },
  async members(rest, room) {
    const name = rest && (/^[#@]/.test(rest) ? rest : `#${rest}`);
    if (name && name !== room) return members(await ask("WHO", { room: name }), { room, name });
    if (isTalk(room)) return person(await ask("WHOIS", { user: room.slice(1) }), { room });
    beside.value = { is: "members" };
    return undefined;
  },
  rooms: (rest) => {
    dialogue.value = { is: "rooms", match: rest };
  },
  topic(rest, room, line) {
    if (rest) return command(room, line);
    const { topic } = state.value.rooms.get(room);
    return aside(room, { text: topic ? `${room}: ${topic}` : t("no topic", room) });
  },
  async ping() {
    const began = performance.now();
    await ask("PING");
    tell(t("the hub is there", Math.max(1, Math.round(performance.now() - began))));
  },
  lang(rest) {
    if (!LANGS.includes(rest)) return refuse(t("which language", rest));
    return speak(rest);
  },
  /** As in the settings, where it can be ended: meanwhile more can be typed. Where files go, the browser knows. */
  export(path, room) {
    exportAll(path.split(/[\\/]/).at(-1) || undefined).then(
      (saved) => saved && tell(t("exported", saved)),
      (error) => complain(error, room),
    );
  },
  help: shows({ is: "help" }),
  devices: shows({ is: "settings" }),
  password: shows({ is: "settings" }),
  unregister: shows({ is: "deleting" }),
  logout: () => logOut(false),
  nick: () => refuse(t("name stays", me.value)),
  entrance: () => refuse(t("you are in", me.value)),
  bye: () => refuse(t("no goodbye")),
};

/** The hub knows what a line means; what it comes to, the answer's fields tell. */
async function command(room, line) {
  const answer = await ask("COMMAND", { room, line });
  const kind = kindOf(answer);
  ANSWERS[kind]?.(answer, { room, line });
  const [, name] = /^\/(\S+)/.exec(line);
  if (kind === undefined && INVITES.test(name)) refuse(t("invited nobody"));
  if (/^(?:away|abs)$/i.test(name)) away.value = line.replace(/^\S+\s*/, "") || null;
  if (kind === undefined || (kind !== "words" && UNSEEN.test(name))) tell(t("done", line));
}

/** Nothing comes of inviting who is there. */
const INVITES = /^(?:invite|inviter)$/i;

/** What nothing in the log tells of. */
const UNSEEN = /^(?:away|abs|notify|signaler|keywords|mots|quiet|silence|revoke|all|tous)$/i;

const ANSWERS = {
  hook,
  certificate: ({ certificate, session }, { room }) => aside(room, { text: session, code: certificate }),
  events: (answer, { line }) => (beside.value = { is: "search", words: line, found: answer.events }),
  rooms: () => (dialogue.value = { is: "rooms" }),
  words: wishes,
  room: cameIn,
  members: (answer, { room }) => members(answer, { room, name: room }),
  user: person,
  value: ({ value }, { room, line }) => aside(room, { text: `${line.replace(/^\S+\s*/, "")} = ${value}` }),
  sessions: shows({ is: "settings" }),
  commands: shows({ is: "help" }),
};

/** What is set of what one wants to notice. */
function wishes({ words, quiet, room: name, level }, { room }) {
  const isQuiet = quiet?.until ? t("quiet until", dateOf(quiet.until)) : t("quiet");
  const set = [
    level && `${name}: ${t(isTalk(name) && level !== "none" ? "talk level mentions" : `level ${level}`)}`,
    words.length > 0 ? `${t("keywords")}: ${words.join(", ")}` : t("no keywords"),
    quiet?.on ? isQuiet : t("notified"),
  ];
  aside(room, { text: set.filter(Boolean).join("\n") });
}

/** Its path is told once, and kept nowhere here. */
function hook({ hook: path, session }, { room }) {
  aside(room, { text: t("hook made", session), code: new URL(path, location.href).href });
}

function members({ members: all }, { room, name }) {
  aside(room, { text: `${name}: ${all.map((one) => one.user).join(", ")}` });
}

function person({ user, online, away: text }, { room }) {
  aside(room, { text: `${user}: ${text ?? t(online ? "online" : "offline")}` });
}
