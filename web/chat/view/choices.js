/**
 * What may be meant by the word before the caret: a name, a room or a command, to choose by arrows and Tab or Enter.
 */

import { useLayoutEffect, useRef } from "../vendor/hooks.js";
import { signal } from "../vendor/signals.js";
import { matching, wordBefore } from "../core/typed.js";
import { ask, isUp, state } from "../client/hub.js";
import { names } from "../client/acting.js";
import { lang, t } from "../client/tongue.js";
import { isAlone } from "./composing.js";
import { html } from "./html.js";
import { Figure } from "./icons.js";

const CHOICES_MAX = 8;
/** All that can be typed is to be seen. */
const COMMANDS_MAX = 100;

/** Of the hub's commands those that have no sense for who is here already. */
const ELSEWHERE = new Set(["register", "login", "nick", "bye"]);

/** `{ found, at, word }`, or `null` if there is nothing to choose. */
export const choices = signal(null);

/** What can be typed, by language; asked for once. */
export const commands = signal(new Map());

export async function loadCommands() {
  if (commands.value.has(lang.value) || !isUp.value) return;
  try {
    const { commands: told } = await ask("HELP");
    commands.value = new Map(commands.value).set(lang.value, told);
  } catch {
    // Asked for again with the next slash.
  }
}

/** Looks for what is meant before the caret of `field`. */
export function complete(field, room) {
  const word = field.selectionStart === field.selectionEnd && wordBefore(field.value.slice(0, field.selectionStart));
  if (word?.sign === "/" && !commands.value.has(lang.value)) {
    loadCommands().then(() => field.isConnected && commands.value.has(lang.value) && complete(field, room));
  }
  const found = word ? FIND[word.sign](word.word, room) : [];
  choices.value = found.length > 0 ? { found, word, at: 0 } : null;
}

const FIND = {
  "@": (word, room) => matching(names(room), word, CHOICES_MAX).map((name) => ({ put: `@${name}`, name })),
  "#": (word) => {
    const all = [...state.value.rooms.keys(), ...state.value.others.keys()].filter((name) => name.startsWith("#"));
    return matching(
      all.map((name) => name.slice(1)),
      word,
      CHOICES_MAX,
    ).map((name) => ({ put: `#${name}` }));
  },
  "/": (word) => {
    const told = commands.value.get(lang.value) ?? [];
    const byName = new Map(told.map((one) => [one.line.split(/[ ,]/)[0].slice(1), one]));
    for (const name of ELSEWHERE) byName.delete(name);
    return matching([...byName.keys()], word, COMMANDS_MAX).map((name) => ({
      put: `/${name}`,
      line: byName.get(name).line,
      does: byName.get(name).does,
    }));
  },
};

/** Takes what a key does to the choice. Gives whether it did something. */
export function choose(event, field) {
  const { found, at } = choices.value;
  const by = isAlone(event) && { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (by) choices.value = { ...choices.value, at: (at + by + found.length) % found.length };
  else if (event.key === "Escape") choices.value = null;
  else if (event.key === "Tab" || (event.key === "Enter" && !isWhole(field))) take(field, found[at]);
  else return false;
  event.preventDefault();
  event.stopPropagation();
  return true;
}

/** What was typed out needs no choice: Enter says it. */
function isWhole(field) {
  const { found, word } = choices.value;
  return (
    found.some((one) => one.put.toLowerCase() === (word.sign + word.word).toLowerCase()) &&
    field.value.length === field.selectionStart
  );
}

function take(field, { put }) {
  const { word } = choices.value;
  field.focus();
  field.setRangeText(`${put} `, word.from, field.selectionStart, "end");
  choices.value = null;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

export function Choices({ field }) {
  const its = choices.value;
  const list = useRef();
  useLayoutEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [its]);
  if (!its) return null;
  return html`<ul ref=${list} class="choices" id="choices" role="listbox" aria-label=${t("choices")}>
    ${its.found.map(
      (one, at) => html`<li key=${one.put} id=${`choice-${at}`} role="option" aria-selected=${at === its.at}
      onMouseDown=${(event) => {
        event.preventDefault();
        take(field.current, one);
      }}>
      ${one.name && html`<${Figure} name=${one.name} />`}
      <bdi class=${one.line ? "command" : ""}>${one.line ?? one.put}</bdi>
      ${one.does && html`<span class="quiet">${one.does}</span>`}
    </li>`,
    )}
  </ul>`;
}
