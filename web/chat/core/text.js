/**
 * What was said, in parts: words, links, names, code. No part is ever markup; who shows them sets text.
 */

/** `http` and `https` alone, and nothing in it that a person would not see or that turns the line around. */
const LINK = /\bhttps?:\/\/[^\s<>"`\p{C}\u2028\u2029]+/giu;
const NAME = /(?<![\p{L}\p{N}_.@-])@([\p{L}\p{N}_.-]*[\p{L}\p{N}_])/gu;
const ROOM = /(?<![\p{L}\p{N}_#&/-])#([\p{L}\p{N}_.-]*[\p{L}\p{N}_])/gu;
/** Who names five hundred people names nobody: of each kind so many are read, and what comes after is words. */
const PARTS_MAX = 500;
const BLOCK = /\n?```[^\n`]*\n?([\s\S]*?)```\n?/g;
const CODE = /`([^`\n]+)`/g;

/**
 * Gives the parts of a text, in order. Together their `text` is all of it but the signs around code,
 * and the line ends beside a block of it.
 *
 * @param {string} body
 * @returns {{is: "words" | "link" | "name" | "room" | "code" | "block", text: string, href?: string, host?: string}[]}
 * Cost: that of reading the text a few times.
 */
export function partsOf(body) {
  const readers = [
    [BLOCK, ([, code]) => ({ is: "block", text: code.replace(/\n$/, "") })],
    [CODE, ([, code]) => ({ is: "code", text: code })],
    [LINK, ([found]) => link(found)],
    [NAME, ([found, name]) => ({ is: "name", text: found, name })],
    [ROOM, ([found]) => ({ is: "room", text: found })],
  ];
  const split = (parts, [pattern, read]) => {
    const left = { many: PARTS_MAX };
    return parts.flatMap((part) => (part.is === "words" ? cut(part.text, [pattern, read], left) : [part]));
  };
  return readers.reduce(split, [{ is: "words", text: body }]);
}

function cut(text, [pattern, read], left) {
  const parts = [];
  let from = 0;
  for (const found of text.matchAll(pattern)) {
    if (left.many === 0) break;
    const part = read(found);
    if (!part) continue;
    const length = part.length ?? found[0].length;
    if (found.index > from) parts.push({ is: "words", text: text.slice(from, found.index) });
    parts.push(part);
    left.many -= 1;
    from = found.index + length;
  }
  if (from < text.length || parts.length === 0) parts.push({ is: "words", text: text.slice(from) });
  return parts;
}

/** A link, if it is one. `host` is where it leads, said where the text does not say so plainly. */
function link(found) {
  const text = withoutEnd(found);
  let url;
  try {
    url = new URL(text);
  } catch {
    return undefined;
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") return undefined;
  const isPlain = !url.username && !url.password && text.toLowerCase().startsWith(`${url.protocol}//${url.host}`);
  return { is: "link", text, href: url.href, length: text.length, ...(isPlain ? {} : { host: url.host }) };
}

const BRACKETS = { ")": "(", "]": "[", "}": "{" };
const STOPS = ".,;:!?'’»…*_";

/** Without what ends a sentence, and without a bracket that was opened before the link. Cost: one look at each sign. */
function withoutEnd(text) {
  const many = new Map();
  for (const sign of text) many.set(sign, (many.get(sign) ?? 0) + 1);
  const isOpenedBefore = (sign) => sign in BRACKETS && many.get(sign) > (many.get(BRACKETS[sign]) ?? 0);
  let end = text.length;
  while (end > 0 && (STOPS.includes(text[end - 1]) || isOpenedBefore(text[end - 1]))) {
    end -= 1;
    many.set(text[end], many.get(text[end]) - 1);
  }
  return text.slice(0, end);
}

/** What words are parted by, as the hub parts them. */
const NO_WORD = /[^\p{L}\p{N}\p{M}_]+/u;

/** Whether a text has one of `words` in it, whatever their case. Cost: that of reading it, if there are any. */
export function hasWord(body, words) {
  if (words.length === 0) return false;
  const all = new Set(body.toLowerCase().split(NO_WORD));
  return words.some((word) => all.has(word));
}

const segmenter = new Intl.Segmenter();
const SIGNS_MAX = 4;
/** No sign that people use is longer, with all its joiners. */
const SIGN_CHARS_MAX = 32;
const SIGNS = /^(?:[\p{Extended_Pictographic}\p{Emoji_Component}\u200d\ufe0f]\s?)+$/u;

/** Whether a text is nothing but a few emoji, which are shown large. */
export function isSigns(body) {
  if (body.length > SIGNS_MAX * SIGN_CHARS_MAX || !SIGNS.test(body) || !/\p{Extended_Pictographic}/u.test(body))
    return false;
  return cutTo(body.replaceAll(" ", ""), SIGNS_MAX + 1).length <= SIGNS_MAX;
}

/**
 * Whether a text has a word that no line holds. To break one, browsers measure it anew for each line, with all its
 * kerning: such a text is shown without, which takes a hundredth of the time.
 */
export const isUnbroken = (body) => /\S{300}/.test(body);

/** The first line of a text, for a quote. */
export function firstLine(body, most) {
  const line = body
    .replace(/```[^\n]*\n?/g, "")
    .trim()
    .split("\n", 1)[0];
  if (line.length <= most) return line;
  const text = cutTo(line, most).join("");
  return text.length < line.length ? `${text.trimEnd()}…` : line;
}

/** The first signs of a text, as people see them. Cost: that of so many, however long the text is. */
function cutTo(text, most) {
  const signs = [];
  for (const { segment } of segmenter.segment(text.slice(0, most * SIGN_CHARS_MAX))) {
    if (signs.length === most) break;
    signs.push(segment);
  }
  return signs;
}
