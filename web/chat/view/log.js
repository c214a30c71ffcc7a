/**
 * The log of a room: it stays at its end while one is there, and stands still while one reads further back,
 * whatever comes before or after.
 */

import { useEffect, useLayoutEffect, useRef } from "../vendor/hooks.js";
import { isTalk } from "../core/room.js";
import { isUp } from "../client/hub.js";
import { backToNow, loadAfter, loadBefore, loading } from "../client/reading.js";
import { focus, newAfter, room } from "../client/shown.js";
import { t } from "../client/tongue.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { active, leave, Lines, point, underWay } from "./lines.js";
import { holdStill, toSeq } from "./scroll.js";
import { isAtEnd, watch } from "./seen.js";
import { walk } from "./walk.js";

/** So near the end counts as there. */
const END_PX = 40;
/** So near the beginning, or the end of what is looked at, more is read. */
const MORE_PX = 600;

export function Log() {
  const box = useRef();
  const its = room.value;
  const still = useStillness(box, its.name);
  useMovement(still, box, its);
  useEffect(() => watch(its.name), [its.name]);
  // A page that does not fill the box calls for the one before.
  useEffect(() => {
    const { scrollHeight, clientHeight } = box.current;
    if (its.isLoaded && its.more && isUp.value && scrollHeight < clientHeight + MORE_PX) loadBefore(its.name);
  }, [its.entries.length, its.isLoaded, isUp.value]);

  const isBusy = loading.value.has(its.name);
  return html`<div class="log-frame">
    <div key=${its.name} ref=${box} class="log" role="log" aria-live="polite" aria-relevant="additions" aria-busy=${isBusy}
      aria-label=${t("log of", its.name)} tabindex="0" onScroll=${() => scrolled(box.current, still.current, its)}
      onKeyDown=${(event) => walk(event, box.current)} onMouseOver=${point} onFocusIn=${point}
      onMouseLeave=${leave} onFocusOut=${leave}>
      <div class="lines"><${Beginning} its=${its} isBusy=${isBusy} /><${Lines} /></div>
    </div>
    <${ToEnd} its=${its} still=${still} />
  </div>`;
}

/**
 * Holds the box where its reader is: in a room that is opened, where the new begins, or at the end. What is new later
 * moves nobody who reads further back.
 */
function useStillness(box, name) {
  const still = useRef(null);
  const marked = useRef(null);
  useLayoutEffect(() => {
    marked.current = newAfter.value === null ? name : null;
    still.current = holdStill(box.current, END_PX);
    active.value = null;
    isAtEnd.value = true;
    return () => still.current.end();
  }, [name]);
  // The lines are drawn by a view of their own: the box sees them come by its size.
  useLayoutEffect(() => {
    still.current.settle();
    const mark = marked.current !== name && newAfter.value !== null && box.current.querySelector(".new-line");
    if (!mark) return;
    marked.current = name;
    still.current.to(mark);
  });
  return still;
}

/** Goes where one wants to be: to what one says, and to what one looks for. */
function useMovement(still, box, its) {
  const last = underWay.value.at(-1)?.cid;
  useLayoutEffect(() => {
    if (last) toEnd(its, still.current);
  }, [last]);
  useEffect(() => {
    if (focus.value) toSeq(box.current, still.current, focus.value.seq);
  }, [focus.value, its.aside]);
}

function scrolled(box, still, its) {
  still.note();
  const { scrollTop, scrollHeight, clientHeight } = box;
  const left = scrollHeight - clientHeight - scrollTop;
  isAtEnd.value = left < END_PX;
  if (scrollTop < MORE_PX) loadBefore(its.name);
  if (left < MORE_PX && its.aside) loadAfter(its.name);
}

function toEnd(its, still) {
  if (its.aside) backToNow(its.name);
  focus.value = null;
  still.toEnd();
  requestAnimationFrame(() => still.toEnd());
}

function ToEnd({ its, still }) {
  if (!its.aside && isAtEnd.value) return null;
  return html`<button type="button" class="to-end" onClick=${() => toEnd(its, still.current)}>
    <${Icon} name="down" />${t(its.aside ? "back to now" : "to the end")}</button>`;
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
