/**
 * Short dialogues: about rooms, and about who is in them.
 */

import { computed, signal } from "../vendor/signals.js";
import { useLayoutEffect } from "../vendor/hooks.js";
import { SLOW_SECONDS_MAX } from "../core/room.js";
import { bareName, matching, roomNamed } from "../core/typed.js";
import { ask, state } from "../client/hub.js";
import { create, invite, joinOrFail, names, openRoom, setTopic, talkTo } from "../client/acting.js";
import { findOthers, keepLooking, loadOthers } from "../client/others.js";
import { tell, trying } from "../client/passing.js";
import { dialogue, room } from "../client/shown.js";
import { count, t } from "../client/tongue.js";
import { andClose, Cancel, Field, Form, OneOf, Window } from "./dialogue.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { Snippet } from "./text.js";

const HOUR = 3600;

const wanted = signal("");
const others = computed(() =>
  [...state.value.others.values()].sort((a, b) => b.size - a.size || a.name.localeCompare(b.name)),
);

/** Who types on is not looked for yet. */
const PAUSE_MS = 250;
let asking;

/** The rooms there are, to come into; and a new one. */
export function RoomsDialogue({ its }) {
  // Before anything can be typed.
  useLayoutEffect(() => {
    wanted.value = its.match ?? "";
    trying(() => loadOthers(wanted.value));
    return keepLooking(() => wanted.value.trim());
  }, []);
  const look = (word) => {
    wanted.value = word;
    clearTimeout(asking);
    asking = setTimeout(() => trying(() => findOthers(word.trim())), PAUSE_MS);
  };
  const shown = others.value.filter((one) => matching([one.name, one.topic], wanted.value, 1).length > 0);
  return html`<${Window} title=${t("find or make a room")}>
    <form class="form-field" onSubmit=${enter}><input type="search" aria-label=${t("find a room")}
      placeholder=${t("find a room")} autofocus defaultValue=${its.match ?? ""}
      onInput=${(event) => look(event.currentTarget.value)} /></form>
    <ul class="finds">${shown.map(
      (one) => html`<li key=${one.name}>
      <span class="find-words"><b>${one.isPrivate && html`<${Icon} name="lock" />`}<bdi>${one.name}</bdi>
        </b>${one.topic && html`<bdi class="quiet">${one.topic}</bdi>`}<span
          class="quiet">${count("members", one.size)}</span></span>
      <button type="button" class="small"
        onClick=${() => trying(andClose(() => joinOrFail(one.name)))}>${t("come in")}</button>
    </li>`,
    )}
    ${shown.length === 0 && html`<li class="none">${t(wanted.value ? "no such room" : "no other rooms")}</li>`}</ul>
    <p class="buttons"><button type="button" class="main"
      onClick=${make}>${t("make a room")}</button></p>
  <//>`;
}

const make = () => (dialogue.value = { is: "create", name: wanted.value });

/** Comes into the room that is called as what was typed; if none is, makes it. */
async function enter(event) {
  event.preventDefault();
  clearTimeout(asking);
  if (!bareName(wanted.value)) return;
  await trying(() => findOthers(wanted.value.trim()));
  const its = (all) => roomNamed([...all.keys()], wanted.value);
  const [mine, other] = [its(state.value.rooms), its(state.value.others)];
  if (mine) andClose(() => openRoom(mine))();
  else if (other) trying(andClose(() => joinOrFail(other)));
  else make();
}

export function CreateDialogue({ its }) {
  const act = ({ name, access, topic }) =>
    create(`#${bareName(name)}`, { isPrivate: access === "private", topic: topic.trim() });
  return html`<${Window} title=${t("make a room")}><${Form} act=${andClose(act)} button=${t("make it")}
    other=${html`<${Cancel} />`}>
    <${Field} label=${t("room name")} name="name" required maxlength="63" defaultValue=${its.name ?? ""} autofocus
      autocomplete="off" hint=${t("room name hint")} />
    <${Field} label=${t("topic")} name="topic" autocomplete="off" />
    <${OneOf} label=${t("who comes in")} name="access"
      options=${[
        ["public", t("everybody")],
        ["private", t("who is invited")],
      ]} chosen="public" />
  <//><//>`;
}

export function TalkDialogue() {
  return html`<${Window} title=${t("write to somebody")} kind="small"><${Form}
    act=${andClose(({ user }) => talkTo(user.trim()))} button=${t("begin to write")} other=${html`<${Cancel} />`}>
    <${Field} label=${t("name")} name="user" required autofocus autocomplete="off" autocapitalize="none" list="known-names"
      />
    <${Known} />
  <//><//>`;
}

const Known = () =>
  html`<datalist id="known-names">${names(room.value).map(
    (name) => html`<option key=${name}
  value=${name}></option>`,
  )}</datalist>`;

export function InviteDialogue() {
  const { name } = room.value;
  const act = async ({ user }) => {
    await invite(name, user.trim().replace(/^@/, ""));
    tell(t("invited", user.trim()));
  };
  return html`<${Window} title=${t("invite into", name)} kind="small"><${Form} act=${andClose(act)} button=${t("invite")}
    other=${html`<${Cancel} />`}>
    <${Field} label=${t("name")} name="user" required autofocus autocomplete="off" autocapitalize="none" list="known-names"
      /><${Known} />
  <//><//>`;
}

export function TopicDialogue() {
  const { name, topic } = room.value;
  return html`<${Window} title=${t("about room", name)} kind="small"><${Form}
    act=${andClose((fields) => setTopic(name, fields.topic.trim()))} button=${t("save")} other=${html`<${Cancel} />`}>
    <${Field} label=${t("topic")} name="topic" defaultValue=${topic} autofocus autocomplete="off" />
  <//><//>`;
}

/** What holds in a room; and who may come in again. */
export function RulesDialogue() {
  const { name, role, slow } = room.value;
  const rules = async ({ slow: seconds, days, kept }) => {
    if (Number(seconds) !== slow) await ask("SLOW", { room: name, seconds: Number(seconds) });
    if (kept === "days" && days) await ask("RETAIN", { room: name, days: Number(days) });
    if (kept === "always") await ask("RETAIN", { room: name });
  };
  const unban = async ({ user }) => {
    await ask("UNBAN", { room: name, user: user.trim() });
    tell(t("may come again", user.trim()));
  };
  return html`<${Window} title=${t("rules of", name)}>
    <${Form} act=${andClose(rules)} button=${t("save")}>
      <${Field} label=${t("seconds between messages")} name="slow" type="number" min="0" max=${SLOW_SECONDS_MAX} defaultValue=${slow}
        hint=${t("slow hint")} />
      ${
        role === "owner" &&
        html`<${OneOf} label=${t("how long kept")} name="kept"
        options=${[
          ["", t("as it is")],
          ["always", t("for good")],
          ["days", t("so many days")],
        ]} chosen="" />
      <${Field} label=${t("days")} name="days" type="number" min="1" max="36500" />`
      }
    <//>
    <hr />
    <${Form} act=${unban} button=${t("let come again")}>
      <${Field} label=${t("banned name")} name="user" required autocomplete="off" autocapitalize="none" />
    <//>
  <//>`;
}

export function SendingOutDialogue({ its }) {
  const { name } = room.value;
  const isBan = its.cmd === "BAN";
  const act = ({ reason, seconds }) =>
    ask(its.cmd, {
      room: name,
      user: its.user,
      ...(reason ? { reason } : {}),
      ...(Number(seconds) ? { seconds: Number(seconds) } : {}),
    });
  return html`<${Window} title=${t(isBan ? "ban from" : "kick from", its.user, name)} kind="small"><${Form}
    act=${andClose(act)} isBad=${true} button=${t(isBan ? "ban" : "kick")} other=${html`<${Cancel} />`}>
    ${
      isBan &&
      html`<${OneOf} label=${t("how long")} name="seconds" chosen="3600"
      options=${[
        [String(HOUR), t("an hour")],
        [String(24 * HOUR), t("a day")],
        [String(7 * 24 * HOUR), t("a week")],
        ["0", t("for good")],
      ]} />`
    }
    <${Field} label=${t("reason")} name="reason" autofocus autocomplete="off" hint=${t("reason hint")} />
  <//><//>`;
}

export function TakingOutDialogue({ its }) {
  const act = async () => its.act();
  return html`<${Window} title=${t("delete this")} kind="small"><${Form} act=${andClose(act)} isBad=${true}
    button=${t("delete")} other=${html`<${Cancel} />`}>
    <blockquote><b><bdi>${its.event.from}</bdi></b> <${Snippet} body=${its.event.body} most=${240} /></blockquote>
    <p class="quiet">${t("delete hint")}</p>
  <//><//>`;
}

/** Leaving a room into which somebody has to ask one back. */
export function LeavingDialogue() {
  const { name } = room.value;
  return html`<${Window} title=${t("leave x", name)} kind="small"><${Form} act=${andClose(() => ask("PART", { room: name }))}
    isBad=${true} button=${t("leave the room")} other=${html`<${Cancel} />`}>
    <p>${t("leave hint")}</p>
  <//><//>`;
}

/** The end of an account. */
export function DeletingDialogue() {
  const act = ({ password, said }) => ask("UNREGISTER", { password, messages: said === "too" });
  return html`<${Window} title=${t("delete account")} kind="small"><${Form} act=${andClose(act)} isBad=${true}
    button=${t("delete account")} other=${html`<${Cancel} />`}>
    <p>${t("delete account hint")}</p>
    <${OneOf} label=${t("what you said")} name="said" chosen="stays"
      options=${[
        ["stays", t("said stays")],
        ["too", t("said goes")],
      ]} />
    <${Field} label=${t("password")} name="password" type="password" required autofocus autocomplete="current-password" />
  <//><//>`;
}
