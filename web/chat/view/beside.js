/**
 * What stands beside the log: who is in the room, or what a search found.
 */

import { useEffect, useLayoutEffect, useRef } from "../vendor/hooks.js";
import { signal } from "../vendor/signals.js";
import { isTalk } from "../core/room.js";
import { state } from "../client/hub.js";
import { goTo, loadMembers, search } from "../client/reading.js";
import { beside, isListOpen, room, trying } from "../client/shown.js";
import { count, dateOf, t } from "../client/tongue.js";
import { html } from "./html.js";
import { Figure, Icon } from "./icons.js";
import { showPerson } from "./person.js";
import { Name } from "./text.js";

export function Beside() {
  const its = beside.value;
  if (!its || (its.is === "members" && (!room.value || isTalk(room.value.name)))) return null;
  const title = t(its.is);
  return html`<aside class="beside" aria-label=${title} onKeyDown=${(event) => event.key === "Escape" && close()}>
    <header><h2>${title}</h2><button type="button" class="quiet-button" aria-label=${t("close")} title="Esc"
      onClick=${close}><${Icon} name="close" /></button></header>
    ${its.is === "members" ? html`<${Members} its=${room.value} />` : html`<${Search} its=${its} />`}
  </aside>`;
}

function close() {
  beside.value = null;
  document.querySelector("#composer")?.focus();
}

const RANKS = ["owner", "moderator", "member"];

function Members({ its }) {
  useEffect(() => {
    loadMembers(its.name);
  }, [its.name]);
  const all = [...(its.people?.values() ?? [])].map((one) => ({ ...one, how: howOf(one) }));
  const order = (a, b) => RANKS.indexOf(a.role) - RANKS.indexOf(b.role) || a.user.localeCompare(b.user);
  const here = all.filter((one) => one.how !== "offline").sort(order);
  const gone = all.filter((one) => one.how === "offline").sort(order);
  return html`<div class="members">
    <${Those} title=${count("here", here.length)} all=${here} />
    ${gone.length > 0 && html`<${Those} title=${count("not here", gone.length)} all=${gone} />`}
  </div>`;
}

function howOf({ user, online }) {
  return state.value.presence.get(user)?.how ?? (online ? "online" : "offline");
}

function Those({ title, all }) {
  return html`<section aria-label=${title}><h3>${title}</h3><ul>${all.map(
    (one) => html`<li key=${one.user}>
    <button type="button" class=${`row ${one.how}`} onClick=${(event) => showPerson(event, one.user)}>
      <${Figure} name=${one.user} how=${one.how} />
      <span class="row-name"><${Name} name=${one.user} />${
        state.value.presence.get(one.user)?.text &&
        html`<bdi
        class="quiet">${state.value.presence.get(one.user).text}</bdi>`
      }</span>
      ${one.role !== "member" && html`<span class="tag">${t(`role ${one.role}`)}</span>`}
    </button></li>`,
  )}</ul></section>`;
}

const found = signal(null);
const here = signal(false);

function Search({ its }) {
  const field = useRef();
  const run = async () => {
    const words = field.current.value.trim();
    if (!words) {
      found.value = null;
      return;
    }
    const from = /(?:^|\s)(?:from|de):(\S+)/.exec(words);
    const rest = from ? words.replace(from[0], " ").trim() : words;
    const answer = await trying(() => search(rest, { room: here.value ? room.value?.name : null, from: from?.[1] }));
    if (answer && field.current?.value.trim() === words) found.value = answer.events;
  };
  useLayoutEffect(() => {
    field.current.value = its.words.replace(/^\/\S+\s*/, "");
    field.current.focus();
    if (its.found) found.value = its.found;
    else run();
  }, [its]);
  const timer = useRef();
  const soon = () => {
    clearTimeout(timer.current);
    timer.current = setTimeout(run, 250);
  };
  return html`<search class="search">
    <input ref=${field} type="search" aria-label=${t("search")} placeholder=${t("words to find")} onInput=${soon}
      onKeyDown=${(event) => event.key === "Enter" && run()} />
    ${
      room.value &&
      html`<label class="check"><input type="checkbox" checked=${here.value} onChange=${(event) => {
        here.value = event.currentTarget.checked;
        run();
      }} /> ${t("only in")} <bdi>${room.value.name}</bdi></label>`
    }
    <p class="quiet" role="status">${found.value ? count("found", found.value.length) : t("search hint")}</p>
    <ul>${(found.value ?? [])
      .filter((one) => one.ev === "message" && one.body !== null)
      .map(
        (one) => html`<li
      key=${one.seq}>
      <button type="button" class="hit" onClick=${() => jump(one)}>
        <span class="hit-head"><${Figure} name=${one.from} /><${Name} name=${one.from} /> <span class="quiet">
          <bdi>${one.room}</bdi> · ${dateOf(one.ts)}</span></span>
        <span class="hit-body" dir="auto">${one.body}</span>
      </button></li>`,
      )}</ul>
  </search>`;
}

function jump({ room: name, seq }) {
  if (innerWidth < 900) beside.value = null;
  isListOpen.value = false;
  goTo(name, seq);
}
