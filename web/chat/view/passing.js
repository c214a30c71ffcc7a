/**
 * Words in passing. They have a place of their own wherever one is: over no message, and moving nothing where
 * they take one line.
 */

import { passing, place } from "../client/passing.js";
import { t } from "../client/tongue.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";

/** What was told `at` a place, for who looks there. */
export function Passing({ at }) {
  if (place.value !== at) return null;
  const { text, isBad } = passing.value?.at === at ? passing.value : {};
  // What is told has to come into something that is there already, to be heard.
  return html`<div class="passing"><div role="status">${text && !isBad && html`<${Words} text=${text} />`}</div>
    <div role="alert">${text && isBad && html`<${Words} text=${text} isBad=${true} />`}</div></div>`;
}

const Words = ({ text, isBad }) => html`<p class=${isBad ? "bad" : ""}><bdi>${text}</bdi><button type="button"
  aria-label=${t("close")} title=${t("close")} onClick=${() => (passing.value = null)}><${Icon} name="close" /></button></p>`;
