/**
 * Finding what was said: as one types, in all rooms or in this one; and going there.
 */

import { useLayoutEffect, useRef } from "../vendor/hooks.js";
import { signal } from "../vendor/signals.js";
import { spokenBy } from "../core/hook.js";
import { isUnbroken } from "../core/text.js";
import { on } from "../client/hub.js";
import { goTo, search } from "../client/reading.js";
import { trying } from "../client/passing.js";
import { beside, isListOpen, room } from "../client/shown.js";
import { count, dateOf, t } from "../client/tongue.js";
import { isComposing } from "./composing.js";
import { html } from "./html.js";
import { Figure } from "./icons.js";
import { Name } from "./text.js";

/** Who types on is not searched for yet. */
const PAUSE_MS = 250;
/** What is searched in, on so narrow a screen, is left to see what was found. */
const NARROW_PX = 900;

const found = signal(null);
const isHereOnly = signal(false);
on("left", () => (found.value = null));

/** Searches by what a field has in it; what comes late, for words that are not there any more, is left out. */
function finder(field) {
  let timer;
  const run = async () => {
    clearTimeout(timer);
    const words = field.current.value.trim();
    const { q, from } = readWords(words);
    const where = isHereOnly.value ? room.value?.name : null;
    const answer = q ? await trying(() => search(q, { room: where, from })) : { events: null };
    if (answer && field.current?.value.trim() === words) found.value = answer.events;
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(run, PAUSE_MS);
  };
  return { run, soon };
}

/** `from:ana` or `de:ana` says whose words are searched. */
function readWords(words) {
  const from = /(?:^|\s)(?:from|de):@?(\S+)/.exec(words);
  return from ? { q: words.replace(from[0], " ").trim(), from: from[1] } : { q: words };
}

export function Search({ its }) {
  const field = useRef();
  const finds = useRef(null);
  finds.current ??= finder(field);
  const { run, soon } = finds.current;
  useLayoutEffect(() => {
    field.current.value = its.words.replace(/^\/\S+\s*/, "");
    field.current.focus();
    if (its.found) found.value = its.found;
    else run();
  }, [its]);
  const said = (found.value ?? []).filter((one) => one.ev === "message" && one.body !== null);
  return html`<search class="search">
    <input ref=${field} type="search" aria-label=${t("search")} placeholder=${t("words to find")} onInput=${soon}
      onKeyDown=${(event) => event.key === "Enter" && !isComposing(event) && run()} />
    ${room.value && html`<${HereOnly} run=${run} />`}
    <p class="quiet" role="status">${found.value ? count("found", said.length) : t("search hint")}</p>
    <ul>${said.map((one) => html`<${Hit} key=${one.seq} one=${one} />`)}</ul>
  </search>`;
}

function HereOnly({ run }) {
  const choose = (event) => {
    isHereOnly.value = event.currentTarget.checked;
    run();
  };
  return html`<label class="check"><input type="checkbox" checked=${isHereOnly.value} onChange=${choose} />
    <span>${t("only in")} <bdi>${room.value.name}</bdi></span></label>`;
}

function Hit({ one }) {
  const { name, body } = spokenBy(one);
  return html`<li><button type="button" class="hit" onClick=${() => jump(one)}>
  <span class="hit-head"><${Figure} name=${name} /><${Name} name=${name} />
    <span class="quiet"><bdi>${one.room}</bdi> · ${dateOf(one.ts)}</span></span>
  <span class=${`hit-body ${isUnbroken(body) ? "unbroken" : ""}`} dir="auto">${body}</span>
</button></li>`;
}

function jump({ room: name, seq }) {
  if (innerWidth < NARROW_PX) beside.value = null;
  isListOpen.value = false;
  goTo(name, seq);
}
