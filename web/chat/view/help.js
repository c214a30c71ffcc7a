/**
 * What can be typed, by the hub's own list, and the keys of this page.
 */

import { useEffect } from "../vendor/hooks.js";
import { lang, t } from "../client/tongue.js";
import { commands, loadCommands } from "./choices.js";
import { Window } from "./dialogue.js";
import { html } from "./html.js";

const KEYS = [
  ["Ctrl K", "key switch"],
  ["Alt ↑ ↓", "key rooms"],
  ["Alt Shift ↑ ↓", "key news"],
  ["Ctrl F", "key search"],
  ["Enter", "key say"],
  ["Shift Enter", "key line"],
  ["↑", "key edit"],
  ["Tab", "key choose"],
  ["Esc", "key read"],
  ["F6", "key parts"],
  ["↑ ↓  r  e  +", "key messages"],
];

export function HelpDialogue() {
  useEffect(() => {
    loadCommands();
  }, [lang.value]);
  return html`<${Window} title=${t("help")} kind="wide">
    <h3>${t("keys")}</h3>
    <dl class="keys">${KEYS.map(
      ([keys, does]) => html`<div key=${does}>
      <dt>${keys.split(/ (?! )/).map((key) => key.trim() && html`<kbd>${key.trim()}</kbd> `)}</dt><dd>${t(does)}</dd>
        </div>`,
    )}</dl>
    <h3>${t("commands")}</h3>
    <dl class="keys commands">${(commands.value.get(lang.value) ?? []).map(
      ({ line, does }) => html`<div key=${line}><dt>
      <code>${line}</code></dt><dd>${does}</dd></div>`,
    )}</dl>
  <//>`;
}
