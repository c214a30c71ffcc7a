/**
 * What was seen is read: the end of a log, by a person who looks at the page.
 */

import { signal } from "../vendor/signals.js";
import { standsBeside } from "../core/room.js";
import { change, isUp } from "../client/hub.js";
import { isNarrow } from "../client/narrow.js";
import { markRead } from "../client/reading.js";
import { beside, isListOpen, room } from "../client/shown.js";

/** So long it has to be there to be seen. */
const SEEN_MS = 400;

/** Whether the end of the log that is open is on the screen. */
export const isAtEnd = signal(true);

/** Whether something else has the whole of a narrow screen. */
const isCovered = () => isNarrow.value && (isListOpen.value || standsBeside(beside.value, room.value));

/** Has a room be read while its end is looked at. Gives what ends that. */
export function watch(name) {
  let timer;
  const seen = () => {
    timer = undefined;
    markRead(name);
  };
  const look = () => {
    const isSeen = isAtEnd.value && !document.hidden && document.hasFocus() && !room.value?.aside && !isCovered();
    change((known) => (known.watched === (isSeen ? name : null) ? known : { ...known, watched: isSeen ? name : null }));
    if (isSeen) timer ??= setTimeout(seen, SEEN_MS);
    else timer = clearTimeout(timer);
  };
  const stops = [isAtEnd, room, isUp, isNarrow, isListOpen, beside].map((its) => its.subscribe(look));
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
