/**
 * That rooms further up or down in a long list call: said at its edge, and a click leads there.
 */

import { useLayoutEffect, useState } from "../vendor/hooks.js";
import { state } from "../client/hub.js";
import { isListOpen, open } from "../client/shown.js";
import { count } from "../client/tongue.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";

/** The rows that call and are out of sight: those above, and those below. */
function outOfSight(list) {
  const box = list.getBoundingClientRect();
  const rows = [...list.querySelectorAll(".row.calls")].map((row) => [row, row.getBoundingClientRect()]);
  return {
    above: rows.filter(([, its]) => its.bottom < box.top + its.height / 2).map(([row]) => row),
    below: rows.filter(([, its]) => its.top > box.bottom - its.height / 2).map(([row]) => row),
  };
}

export function Further({ list }) {
  const [seen, setSeen] = useState("0 0");
  const look = () => {
    const { above, below } = outOfSight(list.current);
    setSeen(`${above.length} ${below.length}`);
  };
  useLayoutEffect(look, [state.value.rooms, open.value, isListOpen.value]);
  useLayoutEffect(() => {
    const its = list.current;
    const sizes = new ResizeObserver(look);
    sizes.observe(its);
    its.addEventListener("scroll", look, { passive: true });
    return () => {
      sizes.disconnect();
      its.removeEventListener("scroll", look);
    };
  }, []);
  const [above, below] = seen.split(" ").map(Number);
  return html`${above > 0 && html`<${Way} to="above" many=${above} list=${list} />`}
    ${below > 0 && html`<${Way} to="below" many=${below} list=${list} />`}`;
}

function Way({ to, many, list }) {
  const go = () => {
    const rows = outOfSight(list.current)[to];
    const next = to === "above" ? rows.at(-1) : rows[0];
    next?.scrollIntoView({ block: "center" });
    next?.focus({ preventScroll: true });
  };
  return html`<button type="button" class=${`further ${to}`} onClick=${go}><${Icon} name="down" />
    <span>${count(`call ${to}`, many)}</span></button>`;
}
