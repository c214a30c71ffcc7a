/**
 * What a line in the composer is: something to say, something this page does itself, or a command for the hub.
 */

/** Commands that the page does in its own way, by each of their names. */
const OWN = new Map(
  Object.entries({
    talk: "msg m",
    dialogue: "dialogue",
    reply: "reply re",
    edit: "edit",
    delete: "delete del redact",
    react: "react",
    unreact: "unreact",
    history: "history hist",
    search: "search",
    topic: "topic",
    members: "who names qui",
    rooms: "rooms list salons",
    help: "help h aide ?",
    devices: "sessions",
    password: "password passwd",
    unregister: "unregister désinscrire",
    logout: "logout",
    lang: "lang langue",
    export: "export exporter",
    ping: "ping",
    nick: "nick",
    entrance: "register inscrire login connexion",
    bye: "bye quit exit fin",
  }).flatMap(([own, names]) => names.split(" ").map((name) => [name, own])),
);

/** Commands whose words are nobody's business: no draft is kept of them. */
const SECRETS = /^\/(?:password|passwd|login|connexion|register|inscrire|unregister|désinscrire)(?![\p{L}\d])/iu;

/**
 * Reads what was typed.
 *
 * @param {string} text
 * @returns {{say: string, kind: string} | {own: string, rest: string} | {command: string} | null} `null` of nothing
 */
export function readTyped(text) {
  const typed = text.replace(/^\n+|\s+$/g, "");
  if (typed === "") return null;
  if (typed.startsWith("//")) return { say: typed.slice(1), kind: "text" };
  const found = /^\/(\S+)\s*([\s\S]*)$/.exec(typed);
  if (!found) return { say: typed, kind: "text" };
  const [, word, rest] = found;
  const name = word.toLowerCase();
  if (name === "me" && rest) return { say: rest, kind: "action" };
  if (OWN.has(name)) return { own: OWN.get(name), rest };
  return { command: typed };
}

/** Whether it ends a dialogue, as the hub hears it: a message that is nothing else. */
export const isLastWord = (text) => /^(?:fin|quit)$/i.test(text.trim());

/** Whether a draft of it may be kept. */
export const mayKeep = (text) => !SECRETS.test(text.trimStart());

/**
 * What is being completed before the caret: a name, a room or a command.
 *
 * @param {string} text up to the caret
 * @returns {{sign: "@" | "#" | "/", word: string, from: number} | null} `from` is where the sign stands
 */
export function wordBefore(text) {
  const found = /(?:^|[\s(])([@#])([\p{L}\p{N}_.-]*)$/u.exec(text);
  if (found) return { sign: found[1], word: found[2], from: text.length - found[2].length - 1 };
  const command = /^\/([^\s/]*)$/.exec(text);
  return command ? { sign: "/", word: command[1], from: 0 } : null;
}

/** Which of the rooms is called just so, with its sign or without; neither case matters. */
export const roomNamed = (names, word) => names.find((name) => name.toLowerCase() === `#${bareName(word).toLowerCase()}`);

/** The name of a room as it is typed, without its sign. */
export const bareName = (word) => word.trim().replace(/^#/, "");

/** What begins with `word`, then what has it inside; neither case nor accents matter. */
export function matching(names, word, most) {
  const wanted = plain(word);
  const begins = [];
  const holds = [];
  for (const name of names) {
    const its = plain(name);
    if (its.startsWith(wanted)) begins.push(name);
    else if (wanted && its.includes(wanted)) holds.push(name);
  }
  return [...begins, ...holds].slice(0, most);
}

export const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
