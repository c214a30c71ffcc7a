/**
 * The head of a room: what it is called and about, who is in it, what can be done with it.
 */

import { isTalk, mayModerate } from "../core/room.js";
import { loadMembers } from "../client/reading.js";
import { part } from "../client/acting.js";
import { setLevel } from "../client/noticing.js";
import { state } from "../client/hub.js";
import { presenceOf } from "../client/presence.js";
import { beside, dialogue, room } from "../client/shown.js";
import { toList } from "../client/narrow.js";
import { count, t } from "../client/tongue.js";
import { heldItems } from "./held.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { openMenu } from "./menu.js";
import { totals } from "../core/state.js";

export function Head() {
  const its = room.value;
  const isTwo = isTalk(its.name);
  return html`<header class="room-head">
    <${ToList} />
    <div class="room-words">
      <h1>${its.isPrivate && !isTwo && html`<${Icon} name="lock" />`}<bdi>${isTwo ? its.name.slice(1) : its.name}</bdi></h1>
      ${isTwo ? html`<${Presence} user=${its.name.slice(1)} />` : html`<${Topic} its=${its} />`}
    </div>
    ${
      !isTwo &&
      html`<button type="button" class="quiet-button with-words" aria-pressed=${beside.value?.is === "members"}
      aria-label=${count("members", its.size)} title=${t("members")} onClick=${members}><${Icon} name="people" />
        <span>${its.size}</span></button>`
    }
    <button type="button" class="quiet-button" aria-pressed=${beside.value?.is === "search"} aria-label=${t("search")}
      title=${`${t("search")} (Ctrl F)`}
        onClick=${() => (beside.value = beside.value?.is === "search" ? null : { is: "search", words: "" })}><${Icon}
          name="search" /></button>
    <button type="button" class="quiet-button" aria-label=${t("about the room")} title=${t("about the room")}
      onClick=${(event) => openMenu(event, { label: t("about the room"), items: actions(its) })}><${Icon} name="more" />
    </button>
  </header>`;
}

export function ToList() {
  const { calls, unread } = totals(state.value);
  return html`<button type="button" class="quiet-button narrow-only to-list" aria-label=${t("to the list")}
    onClick=${toList}>
    <${Icon} name="back" />${(calls > 0 || unread > 0) && html`<i class=${`dot ${calls > 0 ? "for-me" : ""}`}></i>`}
  </button>`;
}

function members() {
  if (beside.value?.is === "members") {
    beside.value = null;
    return;
  }
  beside.value = { is: "members" };
  loadMembers(room.value.name);
}

function Topic({ its }) {
  const may = mayModerate(its);
  if (!its.topic && !may) return null;
  const words = its.topic ? html`<bdi>${its.topic}</bdi>` : html`<span class="quiet">${t("no topic yet")}</span>`;
  return may
    ? html`<button type="button" class="topic" title=${its.topic || t("say what it is about")}
      onClick=${() => (dialogue.value = { is: "topic" })}>${words}</button>`
    : html`<p class="topic" title=${its.topic}>${words}</p>`;
}

function Presence({ user }) {
  const { how, text } = presenceOf(user);
  return how
    ? html`<p class="topic"><i class=${`dot ${how}`}></i> ${text ? html`<bdi>${text}</bdi>` : t(how)}</p>`
    : null;
}

function actions(its) {
  if (isTalk(its.name)) return [...heldItems(its.name.slice(1), its.dialogue), null, ...levels(its)];
  const say = (is) => () => (dialogue.value = { is });
  const moderation = mayModerate(its)
    ? [
        { text: t("say what it is about"), icon: "edit", act: say("topic") },
        { text: t("invite…"), icon: "plus", act: say("invite") },
        { text: t("rules…"), icon: "settings", act: say("rules") },
        null,
      ]
    : [];
  return [
    { text: t("members"), icon: "people", act: members },
    null,
    ...moderation,
    ...levels(its),
    null,
    { text: t("leave the room"), icon: "door", isBad: true, act: mayReturn(its) ? () => part(its.name) : say("leaving") },
  ];
}

/** Whether who leaves it may come back as they like. */
const mayReturn = ({ isPrivate, role }) => !isPrivate || role === "owner";

/** How much of it is to be noticed; between two, what is said is said to one. */
function levels({ name, level }) {
  const all = isTalk(name) ? ["mentions", "none"] : ["all", "mentions", "none"];
  return all.map((one) => ({
    text: t(isTalk(name) ? `talk level ${one}` : `level ${one}`),
    isOn: one === level || (isTalk(name) && level === "all" && one === "mentions"),
    act: () => setLevel(name, one),
  }));
}
