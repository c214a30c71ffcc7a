/**
 * The log of a room: it stays at its end while one is there, and stands still while one reads further back,
 * whatever comes before or after.
 */

import { computed, signal } from "../vendor/signals.js";
import { useEffect, useLayoutEffect, useRef } from "../vendor/hooks.js";
import { linesOf } from "../core/lines.js";
import { isTalk } from "../core/room.js";
import { isUp, me, state, change } from "../client/hub.js";
import { backToNow, loadAfter, loadBefore, loading, markRead } from "../client/reading.js";
import { asides, focus, menu, newAfter, room } from "../client/shown.js";
import { dayName, dayOf, lang, t } from "../client/tongue.js";
import { Happened } from "./happened.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { Message, Unsent } from "./message.js";
import { holdStill, toSeq } from "./scroll.js";
import { walk } from "./walk.js";

/** So near the end counts as there. */
const END_PX = 40;
/** So near the beginning more is read. */
const BEGIN_PX = 600;
const SEEN_MS = 400;

/** The message that is pointed at, or has the keyboard. */
export const active = signal(null);
const isAtEnd = signal(true);

const entries = computed(() => room.value?.aside?.entries ?? room.value?.entries ?? []);
const lines = computed(() =>
  linesOf(entries.value, { dayOf, newAfter: newAfter.value, me: me.value, lang: lang.value }),
);
const known = computed(() => new Map(entries.value.map((event) => [event.seq, event])));
const unsent = computed(() =>
  state.value.outbox.filter((one) => one.room === room.value?.name && one.cmd === "MESSAGE"),
);

export function Log() {
  const box = useRef();
  const still = useRef(null);
  const marked = useRef(null);
  const its = room.value;
  const name = its.name;

  useLayoutEffect(() => {
    marked.current = null;
    still.current = holdStill(box.current, END_PX);
    active.value = null;
    isAtEnd.value = true;
    return () => still.current.end();
  }, [name]);
  useLayoutEffect(() => {
    still.current.settle();
    const mark = marked.current !== name && newAfter.value !== null && box.current.querySelector(".new-line");
    if (!mark) return;
    marked.current = name;
    still.current.to(mark);
  });
  // Who says something sees it.
  const last = unsent.value.at(-1)?.cid;
  useLayoutEffect(() => {
    if (last) toEnd(its, still.current);
  }, [last]);
  useEffect(() => watch(box.current, name), [name]);
  useEffect(() => {
    if (!focus.value) return;
    toSeq(box.current, still.current, focus.value.seq);
  }, [focus.value, its.aside]);

  const onScroll = () => {
    still.current.note();
    const { scrollTop, scrollHeight, clientHeight } = box.current;
    const left = scrollHeight - clientHeight - scrollTop;
    isAtEnd.value = left < END_PX;
    if (scrollTop < BEGIN_PX) loadBefore(name);
    if (left < BEGIN_PX && its.aside) loadAfter(name);
  };
  // A page that does not fill the box calls for the one before.
  useEffect(() => {
    const { scrollHeight, clientHeight } = box.current;
    if (its.isLoaded && its.more && isUp.value && scrollHeight < clientHeight + BEGIN_PX) loadBefore(name);
  }, [its.entries.length, its.isLoaded, isUp.value]);

  const isBusy = loading.value.has(name);
  return html`<div class="log-frame">
    <div ref=${box} class="log" role="log" aria-live="polite" aria-relevant="additions" aria-busy=${isBusy}
      aria-label=${t("log of", name)} tabindex="0"
      onScroll=${onScroll} onKeyDown=${(event) => walk(event, box.current)} onMouseOver=${point} onFocusIn=${point}
        onMouseLeave=${leave} onFocusOut=${leave}>
      <div class="lines">
        <${Beginning} its=${its} isBusy=${isBusy} />
        ${lines.value.map(
          (line) => html`<${Line} key=${line.key} line=${line}
          signs=${line.event && its.signs.get(line.event.seq)} />`,
        )}
        ${
          !its.aside &&
          (asides.value.get(name) ?? []).map(
            (line) => html`<p key=${line.key} class="aside-line"
          role="status"><span class="tag">${t("for you alone")}</span> <bdi>${line.text}</bdi></p>`,
          )
        }
        ${!its.aside && unsent.value.map((one) => html`<${Unsent} key=${one.cid} one=${one} isUp=${isUp.value} />`)}
      </div>
    </div>
    ${
      (its.aside || !isAtEnd.value) &&
      html`<button type="button" class="to-end"
      onClick=${() => toEnd(its, still.current)}><${Icon} name="down"
        />${t(its.aside ? "back to now" : "to the end")}</button>`
    }
  </div>`;
}

function toEnd(its, still) {
  if (its.aside) backToNow(its.name);
  focus.value = null;
  still.toEnd();
  requestAnimationFrame(() => still.toEnd());
}

/** The message under the pointer, or with the keyboard, has its tools. */
function point(event) {
  const its = event.target.closest?.(".message[data-seq]");
  if (its && active.value !== Number(its.dataset.seq)) active.value = Number(its.dataset.seq);
}

/** Neither pointer nor keyboard are there any more; a menu that was opened there is. */
function leave({ currentTarget, relatedTarget }) {
  if (!menu.value && !currentTarget.contains(relatedTarget)) active.value = null;
}

/** What was seen is read: the end of the log, by a person who looks at the page. */
function watch(box, name) {
  let timer;
  const seen = () => {
    timer = undefined;
    markRead(name);
  };
  const look = () => {
    const isSeen = isAtEnd.value && !document.hidden && document.hasFocus() && !room.value?.aside;
    change((known) => (known.watched === (isSeen ? name : null) ? known : { ...known, watched: isSeen ? name : null }));
    if (isSeen) timer ??= setTimeout(seen, SEEN_MS);
    else timer = clearTimeout(timer);
  };
  const stops = [isAtEnd.subscribe(look), room.subscribe(look), isUp.subscribe(look)];
  const events = ["focus", "blur", "visibilitychange"];
  events.forEach((what) => addEventListener(what, look, true));
  return () => {
    if (timer) markRead(name);
    clearTimeout(timer);
    stops.forEach((stop) => stop());
    events.forEach((what) => removeEventListener(what, look, true));
    change((known) => ({ ...known, watched: null }));
  };
}

function Line({ line, signs }) {
  if (line.is === "day") return html`<div class="day" role="separator"><span>${dayName(line.ts)}</span></div>`;
  if (line.is === "new") return html`<div class="new-line" role="separator"><span>${t("new")}</span></div>`;
  if (line.is === "happened") return html`<${Happened} line=${line} />`;
  const { event, isFirst } = line;
  const isFocused = focus.value?.seq === event.seq;
  return html`<${Message} event=${event} isFirst=${isFirst || event.kind !== "text"} isFocused=${isFocused}
    isActive=${active.value === event.seq}
    signs=${signs} answered=${event.reply === undefined ? undefined : known.value.get(event.reply)} />`;
}

function Beginning({ its, isBusy }) {
  if (isBusy)
    return html`<p class="beginning" role="status"><span class="waiting" aria-hidden="true">
    </span>${t("reading on")}</p>`;
  if (!its.isLoaded || (its.aside ? its.aside.more : its.more)) return html`<p class="beginning"> </p>`;
  const isTwo = isTalk(its.name);
  return html`<div class="beginning first-page">
    <h2>${isTwo ? html`<bdi>${its.name.slice(1)}</bdi>` : html`<bdi>${its.name}</bdi>`}</h2>
      <p>${t(isTwo ? "begin talk" : "begin room", its.name.slice(1))}</p></div>`;
}
