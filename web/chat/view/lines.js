/**
 * The lines of the log that is open, and which of its messages is pointed at.
 */

import { computed, signal, useComputed } from "../vendor/signals.js";
import { linesOf, piecesOf } from "../core/lines.js";
import { me, state } from "../client/hub.js";
import { tell } from "../client/passing.js";
import { asides, focus, menu, newAfter, room } from "../client/shown.js";
import { dayName, dayOf, lang, t } from "../client/tongue.js";
import { Happened } from "./happened.js";
import { html, memo } from "./html.js";
import { Message, Unsent } from "./message.js";

/** The message that is pointed at, or has the keyboard: it has tools. */
export const active = signal(null);

/** The piece of the log that is looked at. */
const piece = computed(() => room.value?.aside ?? room.value ?? { entries: [], more: true });
const lines = computed(() =>
  linesOf(piece.value.entries, { dayOf, newAfter: newAfter.value, me: me.value, lang: lang.value }, own.value),
);
const known = computed(() => new Map(piece.value.entries.map((event) => [event.seq, event])));

/** What was said here and is not in the log. */
const unsent = computed(() =>
  state.value.outbox.filter((one) => one.room === room.value?.name && one.cmd === "MESSAGE"),
);

/** What of it is on its way. */
export const underWay = computed(() => unsent.value.filter((one) => one.state !== "failed"));

/** What stands among the lines and is in no log: what is on its way at the end, what failed where it was said. */
const own = computed(() => {
  const { entries, more } = piece.value;
  const said = unsent.value.map((one) => ({ is: "unsent", key: one.cid, one, after: one.after ?? Infinity }));
  const told = (asides.value.get(room.value?.name) ?? []).map((one) => ({ is: "aside", ...one }));
  const from = more ? (entries[0]?.seq ?? 0) : 0;
  const to = room.value?.aside ? entries.at(-1)?.seq : Infinity;
  return [...told, ...said].filter(({ after }) => after >= from && (after < to || to === Infinity));
});

const pieces = computed(() => piecesOf(lines.value));

export function Lines() {
  const { signs } = room.value;
  return pieces.value.map(({ key, lines: its }) => html`<${Piece} key=${key} lines=${its} signs=${signs} />`);
}

/** About so high is a line: until a piece is drawn, that is how it is counted. */
const LINE_PX = 30;

/** Lines are made anew with each message: what counts is what they tell. */
const told = ({ event, isFirst, events, one, text }) => [event, isFirst, events?.length, one, text];

/** What is far from what is looked at is not drawn; see log.css. */
const Piece = memo(
  ({ lines: its, signs }) => html`<div class="piece"
    style=${{ containIntrinsicBlockSize: `auto ${its.length * LINE_PX}px` }}>
    ${its.map((line) => html`<${Line} key=${line.key} line=${line} signs=${signs.get(line.event?.seq)} />`)}</div>`,
  ({ lines: its, signs }) => its.flatMap((line) => [...told(line), signs.get(line.event?.seq)]),
);

const SHOWN = {
  day: ({ line }) => html`<div class="day" role="separator"><span>${dayName(line.ts)}</span></div>`,
  new: () => html`<div class="new-line" role="separator"><span>${t("new")}</span></div>`,
  happened: ({ line }) => html`<${Happened} line=${line} />`,
  words: Words,
  unsent: ({ line }) => html`<${Unsent} one=${line.one} />`,
  aside: Own,
};

const Line = memo(
  ({ line, signs }) => html`<${SHOWN[line.is]} line=${line} signs=${signs} />`,
  ({ line, signs }) => [...told(line), signs],
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
function Own({ line: { text, code } }) {
  const whole = code && html` <code>${code}</code> <button type="button" class="link"
    onClick=${() => copy(code)}>${t("copy")}</button>`;
  return html`<p class="aside-line" role="status"><span class="tag">${t("for you alone")}</span>${" "}
    <bdi>${text}</bdi>${whole}</p>`;
}

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
