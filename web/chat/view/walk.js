/**
 * Walking through a log by the keyboard: up and down from message to message, `r` to answer, `e` to edit, `+` for
 * a sign, Enter for all that can be done, Esc back to the composer.
 */

import { me, state } from "../client/hub.js";
import { open } from "../client/shown.js";
import { focusComposer } from "./insert.js";
import { change, openActions, openSigns, reply } from "./message.js";

export function walk(event, box) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const its = event.target.closest?.(".message[data-seq]");
  const step = STEPS[event.key];
  if (step) step(box, its);
  else if (event.key === "Escape") focusComposer();
  else if (its && ACTS[event.key] && (event.key !== "Enter" || event.target === its)) act(ACTS[event.key], its);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

const messages = (box) => [...box.querySelectorAll(".message[data-seq]")];

const STEPS = {
  ArrowUp: (box, its) => go(box, its, -1),
  ArrowDown: (box, its) => go(box, its, 1),
};

function go(box, its, by) {
  const all = messages(box);
  const at = its ? all.indexOf(its) + by : all.length - 1;
  const next = all[Math.max(0, at)];
  if (!next) {
    focusComposer();
    return;
  }
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

const ACTS = {
  r: (event) => reply(event),
  e: (event) => event.from === me.value && change(event),
  "+": openSigns,
  Enter: openActions,
};

function act(what, its) {
  const room = state.value.rooms.get(open.value);
  const all = [...(room?.aside?.entries ?? []), ...(room?.entries ?? [])];
  const event = all.find((one) => one.seq === Number(its.dataset.seq));
  if (event?.body) what(event, its);
}
