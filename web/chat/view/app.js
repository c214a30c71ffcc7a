/**
 * The page as a whole.
 */

import { useEffect } from "../vendor/hooks.js";
import { standsBeside } from "../core/room.js";
import { phase, state } from "../client/hub.js";
import { beside, dialogue, isListOpen, room } from "../client/shown.js";
import { t } from "../client/tongue.js";
import { KeywordsDialogue } from "./bell.js";
import { Beside } from "./beside.js";
import { Composer } from "./composer.js";
import { Entrance } from "./entrance.js";
import * as forms from "./forms.js";
import { Head, ToList } from "./head.js";
import { HelpDialogue } from "./help.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { focusComposer } from "./insert.js";
import { keys } from "./keys.js";
import { Line } from "./line.js";
import { Log } from "./log.js";
import { Menu } from "./menu.js";
import { Passing } from "./passing.js";
import { Rooms } from "./rooms.js";
import { SettingsDialogue } from "./settings.js";
import { SwitcherDialogue } from "./switcher.js";
import { Welcome } from "./welcome.js";

export function App() {
  return phase.value === "out" ? html`<${Entrance} />` : html`<${Inside} />`;
}

function Inside() {
  useEffect(() => {
    addEventListener("keydown", keys);
    return () => removeEventListener("keydown", keys);
  }, []);
  return html`<div class="inside" data-list=${isListOpen.value || !room.value} data-beside=${standsBeside(beside.value, room.value)}>
    ${room.value && html`<${Skip} />`}
    <${Rooms} />
    <main class="room" aria-label=${room.value?.name ?? t("welcome")}>
      ${
        room.value
          ? html`<${Head} /><${Announced} /><${Log} /><div class="foot"><${Line} /><${Composer} />
        </div>`
          : html`<${Nowhere} />`
      }
    </main>
    <${Beside} />
    <${Dialogue} />
    <${Menu} />
  </div>`;
}

const Skip = () => html`<a class="skip" href="#composer" onClick=${(event) => {
  event.preventDefault();
  focusComposer();
}}>${t("skip")}</a>`;

function Nowhere() {
  return html`<div class="nowhere"><${ToList} />${state.value.me !== null && html`<${Welcome} of="h1" />`}
    <${Line} /><${Passing} at="nowhere" /></div>`;
}

function Announced() {
  const its = state.value.announced;
  if (!its) return null;
  return html`<div class="announced" role="alert"><b><bdi>${its.from}</bdi>:</b> <bdi>${its.body}</bdi>
    <button type="button" class="quiet-button" aria-label=${t("close")}
      onClick=${() => (state.value = { ...state.value, announced: null })}><${Icon} name="close" /></button></div>`;
}

const DIALOGUES = {
  rooms: forms.RoomsDialogue,
  create: forms.CreateDialogue,
  talk: forms.TalkDialogue,
  invite: forms.InviteDialogue,
  topic: forms.TopicDialogue,
  rules: forms.RulesDialogue,
  "sending out": forms.SendingOutDialogue,
  "taking out": forms.TakingOutDialogue,
  leaving: forms.LeavingDialogue,
  deleting: forms.DeletingDialogue,
  keywords: KeywordsDialogue,
  settings: SettingsDialogue,
  switcher: SwitcherDialogue,
  help: HelpDialogue,
};

function Dialogue() {
  const its = dialogue.value;
  const View = its && DIALOGUES[its.is];
  return View ? html`<${View} key=${its} its=${its} />` : null;
}
