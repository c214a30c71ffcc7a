/**
 * That a dialogue is held with somebody, whose turn it is, and how it ends: right above the composer.
 */

import { isTalk } from "../core/room.js";
import { end, hold, isMyTurn, whoFirst } from "../client/dialogues.js";
import { t } from "../client/tongue.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";

export function Held({ its }) {
  if (!isTalk(its.name) || !its.dialogue) return null;
  const isMine = isMyTurn(its);
  return html`<section class=${`held ${isMine ? "mine" : ""}`} aria-label=${t("dialogue")}>
    <${Icon} name="turns" />
    <p role="status"><b>${whose(its)}</b> <span class="quiet">${t("dialogue hint")}</span></p>
    <button type="button" class="small" onClick=${() => end(its.name.slice(1))}>${t("end dialogue")}</button>
  </section>`;
}

function whose(its) {
  if (its.dialogue.mode === "free") return t("free dialogue");
  return isMyTurn(its) ? t("your turn") : html`<bdi>${t("turn of", whoFirst(its))}</bdi>`;
}

/** What can be done about dialogues with somebody, as items of a menu. */
export const heldItems = (user, dialogue) =>
  dialogue
    ? [{ text: t("end dialogue"), icon: "turns", act: () => end(user) }]
    : [
        { text: t("hold in turns"), icon: "turns", act: () => hold(user, "turns") },
        { text: t("hold freely"), icon: "turns", act: () => hold(user, "free") },
      ];
