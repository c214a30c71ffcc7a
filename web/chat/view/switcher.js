/**
 * Going somewhere by its name: rooms, people, and what could be one (Ctrl-K).
 */

import { useLayoutEffect, useRef } from "../vendor/hooks.js";
import { computed, signal } from "../vendor/signals.js";
import { isTalk } from "../core/room.js";
import { callsOf } from "../core/unread.js";
import { matching } from "../core/typed.js";
import { state } from "../client/hub.js";
import { join, names, openRoom, talkTo } from "../client/acting.js";
import { trying } from "../client/passing.js";
import { open, room } from "../client/shown.js";
import { t } from "../client/tongue.js";
import { isComposing } from "./composing.js";
import { close, Window } from "./dialogue.js";
import { html } from "./html.js";
import { Figure } from "./icons.js";

const SHOWN_MAX = 9;
const word = signal("");
const at = signal(0);

const found = computed(() => {
  const { rooms, others } = state.value;
  const bare = word.value.replace(/^[#@]/, "");
  const byNews = (a, b) => callsOf(b) - callsOf(a) || b.unread - a.unread || b.last - a.last;
  const mine = [...rooms.values()]
    .filter((one) => word.value !== "" || one.name !== open.value)
    .sort(byNews)
    .map((one) => one.name);
  const more = [...others.keys()];
  const people = names(room.value)
    .map((name) => `@${name}`)
    .filter((name) => !rooms.has(name));
  const all = [...mine, ...more, ...people].filter((name) => !/^[#@]/.test(word.value) || name[0] === word.value[0]);
  const bareAll = new Map(all.map((name) => [name.slice(1) + (isTalk(name) ? "\u0000" : ""), name]));
  return matching([...bareAll.keys()], bare, SHOWN_MAX).map((key) => bareAll.get(key));
});

export function SwitcherDialogue() {
  const field = useRef();
  useLayoutEffect(() => {
    word.value = "";
    at.value = 0;
    field.current.focus();
  }, []);
  const go = (name) => {
    close();
    if (state.value.rooms.has(name)) openRoom(name);
    else trying(() => (isTalk(name) ? talkTo(name) : join(name)));
  };
  const onKeyDown = (event) => {
    if (isComposing(event)) return;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const many = found.value.length;
    if (by && many > 0) at.value = (at.value + by + many) % many;
    else if (event.key === "Enter" && found.value[at.value]) go(found.value[at.value]);
    else return;
    event.preventDefault();
  };
  return html`<${Window} title=${t("go to")} kind="switcher">
    <input ref=${field} type="text" role="combobox" aria-label=${t("go to")} aria-expanded="true" aria-controls="places"
      aria-autocomplete="list" aria-activedescendant=${`place-${at.value}`}
      placeholder=${t("room or person")} autofocus autocomplete="off" autocapitalize="none" spellcheck=${false}
        onKeyDown=${onKeyDown} onInput=${(event) => {
          word.value = event.currentTarget.value.trim();
          at.value = 0;
        }} />
    <ul id="places" role="listbox" aria-label=${t("go to")}>${found.value.map(
      (name, index) => html`<${Place} key=${name}
      name=${name} index=${index} go=${go} />`,
    )}
      ${found.value.length === 0 && html`<li class="none">${t("nobody and nothing")}</li>`}</ul>
  <//>`;
}

function Place({ name, index, go }) {
  const its = state.value.rooms.get(name);
  const other = state.value.others.get(name);
  return html`<li id=${`place-${index}`} role="option" aria-selected=${at.value === index} onClick=${() => go(name)}
    onMouseMove=${() => (at.value = index)}>
    ${isTalk(name) ? html`<${Figure} name=${name.slice(1)} />` : html`<span class="sign">#</span>`}
    <bdi class="row-name">${name.slice(1)}</bdi>
    ${(its?.topic || other?.topic) && html`<bdi class="quiet">${its?.topic || other?.topic}</bdi>`}
    ${!its && html`<span class="tag">${t(isTalk(name) ? "begin to write" : "come in")}</span>`}
    ${
      its?.mentions > 0
        ? html`<b class="badge for-me">${its.mentions}</b>`
        : its?.unread > 0 &&
          html`<b
      class="badge">${its.unread}</b>`
    }
  </li>`;
}
