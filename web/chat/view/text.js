/**
 * What was said, as it is shown: text alone, each name and each link a piece of its own, so that no letter of
 * one turns the line around for another.
 */

import { firstLine, isSigns, isUnbroken, partsOf } from "../core/text.js";
import { plain } from "../core/typed.js";
import { openRoom, join } from "../client/acting.js";
import { me, state } from "../client/hub.js";
import { t } from "../client/tongue.js";
import { showPerson } from "./person.js";
import { html } from "./html.js";

export const Name = ({ name }) => html`<bdi class="name">${name}</bdi>`;

const SHOWN = {
  words: ({ text }) => text,
  link: ({ text, href, host }) => html`<a class="link" href=${href} target="_blank" rel="noopener noreferrer"
    title=${t("opens", new URL(href).host)}><bdi>${text}</bdi>${
      host &&
      html`<span
      class="host"> (${t("leads to", host)})</span>`
    }</a>`,
  name: ({ text, name }) => html`<button type="button"
    class=${`mention ${plain(name) === plain(me.value ?? "") ? "mine" : ""}`}
      onClick=${(event) => showPerson(event, name)}><bdi>${text}</bdi></button>`,
  room: ({ text }) =>
    html`<button type="button" class="to-room" onClick=${() => goIn(text)}><bdi>${text}</bdi></button>`,
  code: ({ text }) => html`<code dir="auto">${text}</code>`,
  block: ({ text }) => html`<pre tabindex="0"><code>${text}</code></pre>`,
};

function goIn(name) {
  if (state.value.rooms.has(name)) openRoom(name);
  else join(name);
}

export function Text({ body }) {
  const parts = partsOf(body);
  return html`<div class=${classOf(body)}
    dir="auto">${parts.map((part) => SHOWN[part.is](part))}</div>`;
}

const classOf = (body) => ["text", isSigns(body) && "large", isUnbroken(body) && "unbroken"].filter(Boolean).join(" ");

/** The first line of something, without anything to click at. */
export const Snippet = ({ body, most = 120 }) => html`<bdi
  class="snippet">${body === null ? t("taken out") : firstLine(body, most)}</bdi>`;
