/**
 * That a dialogue is held with somebody, whose turn it is, and how it ends: right above the composer.
 */

import { isTalk } from "../core/room.js";
import { end, hold, isMyTurn, whose } from "../client/dialogues.js";
import { t } from "../client/tongue.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";

export function Held({ its }) {
  if (!isTalk(its.name) || !its.dialogue) return null;
  const isMine = isMyTurn(its);
  return html`<section class=${`held ${isMine ? "mine" : ""}`} aria-label=${t("dialogue")}>
    <${Icon} name="turns" />
    <p role="status"><b><bdi>${whose(its)}</bdi></b> <span class="quiet">${t("dialogue hint")}</span></p>
    <button type="button" class="small" onClick=${() => end(its.name.slice(1))}>${t("end dialogue")}</button>
  </section>`;
}

/** What can be done about dialogues with somebody, as items of a menu. */
export const heldItems = (user, dialogue) =>
  dialogue
    ? [{ text: t("end dialogue"), icon: "turns", act: () => end(user) }]
    : [
        { text: t("hold in turns"), icon: "turns", act: () => hold(user, "turns") },
        { text: t("hold freely"), icon: "turns", act: () => hold(user, "free") },
      ];
