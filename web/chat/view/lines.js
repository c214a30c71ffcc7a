/**
 * The lines of the log that is open, and which of its messages is pointed at.
 */

import { computed, signal, useComputed } from "../vendor/signals.js";
import { linesOf } from "../core/lines.js";
import { isUp, me, state } from "../client/hub.js";
import { asides, focus, menu, newAfter, room, tell } from "../client/shown.js";
import { dayName, dayOf, lang, t } from "../client/tongue.js";
import { Happened } from "./happened.js";
import { html, memo } from "./html.js";
import { Message, Unsent } from "./message.js";

/** The message that is pointed at, or has the keyboard: it has tools. */
export const active = signal(null);

const entries = computed(() => room.value?.aside?.entries ?? room.value?.entries ?? []);
const lines = computed(() =>
  linesOf(entries.value, { dayOf, newAfter: newAfter.value, me: me.value, lang: lang.value }),
);
const known = computed(() => new Map(entries.value.map((event) => [event.seq, event])));

/** What was said here and is on its way. */
export const unsent = computed(() =>
  state.value.outbox.filter((one) => one.room === room.value?.name && one.cmd === "MESSAGE"),
);

export function Lines() {
  const { name, signs, aside } = room.value;
  const own = aside ? [] : (asides.value.get(name) ?? []);
  const waiting = aside ? [] : unsent.value;
  return html`
    ${lines.value.map((line) => html`<${Line} key=${line.key} line=${line} signs=${signs.get(line.event?.seq)} />`)}
    ${own.map((line) => html`<${Own} key=${line.key} line=${line} />`)}
    ${waiting.map((one) => html`<${Unsent} key=${one.cid} one=${one} isUp=${isUp.value} />`)}`;
}

const SHOWN = {
  day: ({ line }) => html`<div class="day" role="separator"><span>${dayName(line.ts)}</span></div>`,
  new: () => html`<div class="new-line" role="separator"><span>${t("new")}</span></div>`,
  happened: ({ line }) => html`<${Happened} line=${line} />`,
  words: Words,
};

/** Lines are made anew with each message: what counts is what they tell. */
const Line = memo(
  ({ line, signs }) => html`<${SHOWN[line.is]} line=${line} signs=${signs} />`,
  ({ line, signs }) => [line.event, line.isFirst, line.events?.length, signs],
);

/** Of all messages only those are drawn again that are pointed at, or were. */
function Words({ line: { event, isFirst }, signs }) {
  const isActive = useComputed(() => active.value === event.seq);
  const isFocused = useComputed(() => focus.value?.seq === event.seq);
  const answered = event.reply === undefined ? undefined : known.value.get(event.reply);
  return html`<${Message} event=${event} isFirst=${isFirst || event.kind !== "text"} isFocused=${isFocused.value}
    isActive=${isActive.value} signs=${signs} answered=${answered} />`;
}

/** What is told to the one who typed alone. */
const Own = ({ line: { text, code } }) => html`<p class="aside-line" role="status">
  <span class="tag">${t("for you alone")}</span>${" "}<bdi>${text}</bdi>
  ${code && html` <code>${code}</code> <button type="button" class="link" onClick=${() => copy(code)}>${t("copy")}</button>`}</p>`;

const copy = (code) => navigator.clipboard?.writeText(code).then(() => tell(t("copied")));

/** The message under the pointer, or with the keyboard, has its tools. */
export function point(event) {
  const its = event.target.closest?.(".message[data-seq]");
  if (its && active.value !== Number(its.dataset.seq)) active.value = Number(its.dataset.seq);
}

/** Neither pointer nor keyboard are there any more; a menu that was opened there is. */
export function leave({ currentTarget, relatedTarget }) {
  if (!menu.value && !currentTarget.contains(relatedTarget)) active.value = null;
}
