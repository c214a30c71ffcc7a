/**
 * Begins: shows the page, calls the hub, and has the browser keep the page for when there is no network.
 */

import { options, render } from "./vendor/preact.js";
import { effect } from "./vendor/signals.js";
import { settleTyping } from "./core/state.js";
import { openUsual } from "./client/acting.js";
import { begin, change, me, on, phase, state } from "./client/hub.js";
import { keep } from "./client/kept.js";
import { keepSteps } from "./client/narrow.js";
import { warn } from "./client/passing.js";
import { open, show } from "./client/shown.js";
import { t } from "./client/tongue.js";
import { App } from "./view/app.js";
import { html } from "./view/html.js";
import "./client/calling.js";
import "./client/others.js";
import "./client/sending.js";

const HIDDEN_MS = 250;

/** Who wrote, and says so no more for so long, is taken to have stopped. */
const TYPING_MS_MAX = 9000;

// However much is told at once, it is drawn once a frame; and where nobody looks, now and then.
options.debounceRendering = (draw) => (document.hidden ? setTimeout(draw, HIDDEN_MS) : requestAnimationFrame(draw));

render(html`<${App} />`, document.querySelector("#page"));
on("entered", () => {
  openUsual(keep.get(`open.${me.value}`));
  const { gone } = state.value;
  if (gone.length > 0) warn(t("no longer in", gone.join(", ")));
});
begin();
keepSteps();
setInterval(() => change(settleTyping, Date.now(), TYPING_MS_MAX), 2000);

// A room that one is not in any more is not shown any more.
effect(() => {
  const { rooms, ended } = state.value;
  if (!open.value || rooms.has(open.value) || phase.value === "out") return;
  if (state.value.me === null) return;
  const wasSentOut = ended?.room === open.value;
  show(null);
  if (wasSentOut) warn(t(`sent out by ${ended.ev}`, ended.from, ended.room));
});

if ("serviceWorker" in navigator && isSecureContext) navigator.serviceWorker.register("worker.js").catch(() => {});
