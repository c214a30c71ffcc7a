/**
 * What calls this person, and what does not for now: the bell beside their name.
 */

import { now } from "../client/clock.js";
import { state } from "../client/hub.js";
import { beCalled, beQuiet, isQuiet, setKeywords } from "../client/noticing.js";
import { morningAfter } from "../core/morning.js";
import { tell } from "../client/passing.js";
import { dialogue } from "../client/shown.js";
import { dateOf, t } from "../client/tongue.js";
import { andClose, Cancel, Field, Form, Window } from "./dialogue.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { openMenu } from "./menu.js";

const HOUR_S = 3600;

export function Bell() {
  const words = isQuiet.value ? quietWords() : t("notified");
  return html`<button type="button" class="quiet-button bell" aria-label=${words} title=${words}
    aria-pressed=${isQuiet.value} onClick=${(click) => openMenu(click, { label: t("calls"), items: items() })}>
    <${Icon} name=${isQuiet.value ? "bell-off" : "bell"} /></button>`;
}

function quietWords() {
  const { until } = state.value.quiet;
  return until ? t("quiet until", dateOf(until)) : t("quiet");
}

const untilMorning = () => Math.ceil((morningAfter(new Date(now())) - now()) / 1000);

function items() {
  const until = isQuiet.value && state.value.quiet.until;
  return [
    { text: t("notified"), isOn: !isQuiet.value, act: beCalled },
    ...(until ? [{ text: quietWords(), isOn: true, act: () => {} }] : []),
    { text: t("quiet for an hour"), isOn: false, act: () => beQuiet(HOUR_S) },
    { text: t("quiet until morning"), isOn: false, act: () => beQuiet(untilMorning()) },
    { text: t("quiet"), isOn: isQuiet.value && !until, act: () => beQuiet() },
    null,
    { text: t("keywords…"), icon: "edit", act: () => (dialogue.value = { is: "keywords" }) },
    { text: t("settings"), icon: "settings", act: () => (dialogue.value = { is: "settings" }) },
  ];
}

export function KeywordsDialogue() {
  const act = async ({ words }) => {
    await setKeywords(words);
    tell(t("keywords kept"));
  };
  return html`<${Window} title=${t("keywords")} kind="small"><${Form} act=${andClose(act)} button=${t("save")}
    other=${html`<${Cancel} />`}>
    <${Field} label=${t("words")} name="words" defaultValue=${state.value.keywords.join(" ")} autofocus autocomplete="off"
      autocapitalize="none" hint=${t("keywords hint")} />
  <//><//>`;
}
