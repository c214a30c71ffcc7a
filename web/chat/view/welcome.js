/**
 * What there is to do for who is in no room.
 */

import { me } from "../client/hub.js";
import { dialogue } from "../client/shown.js";
import { t } from "../client/tongue.js";
import { html } from "./html.js";
import { Figure } from "./icons.js";

/** `of` is the heading it has: `h1` where it is all that the page shows, else `h2`. */
export const Welcome = ({ of }) => html`<div class="welcome">
  <${Figure} name=${me.value ?? ""} /><${of}>${t("welcome")}<//><p>${t("welcome words")}</p>
  <p class="buttons"><button type="button" class="main"
    onClick=${() => (dialogue.value = { is: "rooms" })}>${t("find or make a room")}</button><button type="button"
      onClick=${() => (dialogue.value = { is: "talk" })}>${t("write to somebody")}</button></p>
</div>`;
