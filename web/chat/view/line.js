/**
 * The line to the hub, when it is not there: said once, calmly, while all stays readable and writable.
 */

import { useEffect, useState } from "../vendor/hooks.js";
import { callNow, line, state } from "../client/hub.js";
import { count, t } from "../client/tongue.js";
import { html } from "./html.js";

/** A hub on the same machine is there without any network. */
const IS_HERE = /^(localhost|127\.[\d.]+|\[::1\])$/.test(location.hostname);
const isWithoutNetwork = () => !navigator.onLine && !IS_HERE;

export function Line() {
  const { how, retryAt } = line.value;
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!retryAt) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [retryAt]);
  if (how === "up") return null;
  const left = retryAt ? Math.max(0, Math.ceil((retryAt - now) / 1000)) : 0;
  // What was refused is not sent again by itself.
  const waiting = state.value.outbox.filter(({ state }) => state !== "kept" && state !== "failed").length;
  return html`<div class="no-line">
    <span class="arms" aria-hidden="true"><i></i><i></i></span>
    <p role="status">${t(isWithoutNetwork() ? "no network" : "no line")}${waiting > 0 && ` ${count("waiting to be sent", waiting)}`}</p>
    <span class="again" aria-hidden="true">${left > 1 ? count("again in", left) : t("calling")}</span>
    ${left > 1 && html`<button type="button" class="link" onClick=${callNow}>${t("call now")}</button>`}
  </div>`;
}
