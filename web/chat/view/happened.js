/**
 * What happened in a room beside what was said, in one quiet line.
 */

import { wordsFor } from "../core/happening.js";
import { me } from "../client/hub.js";
import { dateOf, t, timeOf, wholeTimeOf } from "../client/tongue.js";
import { html, memo } from "./html.js";
import { Name } from "./text.js";

const NAMES_MAX = 4;

export const Happened = memo(({ line }) => {
  const last = line.events.at(-1);
  return html`<p class="happened" data-seq=${last.seq}><span>${words(line)}</span> <time datetime=${last.ts}
    title=${wholeTimeOf(last.ts)}>${timeOf(last.ts)}</time></p>`;
});

function words({ ev, events }) {
  const [event] = events;
  if (ev === "join" || ev === "part") return cameOrLeft(ev, [...new Set(events.map((one) => one.from))]);
  const who = html`<${Name} name=${event.from} />`;
  const whom = event.user && html`<${Name} name=${event.user} />`;
  const what = DETAILS[ev]?.(event);
  const key = wordsFor(event);
  return html`${filled(`did ${key}`, [who, whom, what])}${event.until ? ` (${t("until", dateOf(event.until))})` : ""}${event.reason ? html`: <bdi>${event.reason}</bdi>` : ""}`;
}

const DETAILS = {
  topic: ({ topic }) => html`<bdi class="quoted">${topic}</bdi>`,
  role: ({ role }) => t(`role ${role}`),
  slow: ({ value }) => value,
  retain: ({ value }) => value,
  dialogue_end: ({ word }) => word,
};

/** French tells those one is among otherwise than others. */
function cameOrLeft(ev, names) {
  const who = names.includes(me.value) ? "you " : "";
  return filled(`${ev}.${who}${names.length === 1 ? "one" : "many"}`, [many(names)]);
}

/** Names, the first few of them. */
function many(all) {
  const shown = all.slice(0, NAMES_MAX).map(
    (name, at) => html`${at > 0 ? ", " : ""}<${Name}
    name=${name === me.value ? t("you") : name} />`,
  );
  return html`${shown}${all.length > NAMES_MAX ? ` ${t("and others", all.length - NAMES_MAX)}` : ""}`;
}

/** The words called `key` with elements in their places. */
function filled(key, given) {
  return t(key, "\u0000", "\u0001", "\u0002")
    .split(/([\u0000-\u0002])/)
    .map((part) => (part.length === 1 && part < "\u0003" ? given[part.charCodeAt(0)] : part));
}
