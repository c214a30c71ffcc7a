/**
 * The page's own pictures, each a few strokes in the colour of the text beside it.
 */

import { figureOf } from "../core/figure.js";
import { html } from "./html.js";

const STROKES = {
  search: "M10.5 17a6.5 6.5 0 1 1 0-13 6.5 6.5 0 0 1 0 13ZM15.3 15.3 20 20",
  people:
    "M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.8 19.5c.5-3.3 3-5 6.2-5s5.7 1.7 6.2 5M16 11.3a3.2 3.2 0 0 0 0-6.3M17.8 14.7c2 .7 3.2 2.3 3.5 4.8",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  plus: "M12 5v14M5 12h14",
  close: "m6 6 12 12M18 6 6 18",
  back: "m14.5 5-7 7 7 7",
  down: "m5 9.5 7 7 7-7",
  reply: "M9.5 6 4 11.5 9.5 17M4.5 11.5H14c3.6 0 6 2.4 6 6.5",
  smile:
    "M12 20.5a8.5 8.5 0 1 1 0-17 8.5 8.5 0 0 1 0 17ZM8.3 14c.9 1.5 2.2 2.2 3.7 2.2s2.8-.7 3.7-2.2M9 9.7h.01M15 9.7h.01",
  edit: "m4.5 19.5.9-4L15.8 5.1a1.8 1.8 0 0 1 2.6 0l.5.5a1.8 1.8 0 0 1 0 2.6L8.5 18.6Z",
  bin: "M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.5 10.5v5.5M13.5 10.5v5.5",
  send: "M5 12h14M13 5.5 19.5 12 13 18.5",
  lock: "M6.5 11h11v8.5h-11ZM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  settings: "M4 7h9M17 7h3M15 4.7v4.6M4 17h3M11 17h9M9 14.7v4.6",
  bell: "M6.5 16.5V11a5.5 5.5 0 0 1 11 0v5.5l1.5 1.5H5ZM10.5 20.5h3",
  "bell-off": "M7.5 8.6A5.5 5.5 0 0 0 6.5 11v5.5L5 18h11M9.5 6a5.5 5.5 0 0 1 8 5v3.5M10.5 20.5h3M4.5 4.5l15 15",
  check: "m5 12.5 4.5 4.5L19 7",
  copy: "M9 9h10.5v10.5H9ZM15 6V4.5H4.5V15H6",
  alert: "M12 4.5 3.5 19h17ZM12 10v4M12 16.8h.01",
  turns: "M4 9h13M13.5 5 17.5 9l-4 4M20 15.5H7M10.5 11.5l-4 4 4 4",
  door: "M13.5 4.5h-8v15h8M10 12h10M16.5 8.5 20 12l-3.5 3.5",
};

export function Icon({ name }) {
  return html`<svg class=${`icon icon-${name}`} viewBox="0 0 24 24" aria-hidden="true"><path d=${STROKES[name]} /></svg>`;
}

const ARM = 7;

/** Somebody's telegraph. It says nothing that the name beside it does not. */
export function Figure({ name, how }) {
  const { regulator, left, right, hue } = figureOf(name);
  return html`<span class=${`figure hue-${hue}`} aria-hidden="true">
    <svg viewBox="0 0 36 36">
      <g transform=${`rotate(${regulator} 18 18)`}>
        <path d="M9 18h18" />
        <path class="arm" d=${`M9 18h${ARM}`} transform=${`rotate(${left + 180} 9 18)`} />
        <path class="arm" d=${`M27 18h${ARM}`} transform=${`rotate(${right} 27 18)`} />
      </g>
      <circle cx="18" cy="18" r="1.9" />
    </svg>
    ${how && html`<i class=${`dot ${how}`}></i>`}
  </span>`;
}
