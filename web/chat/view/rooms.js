/**
 * The list of rooms: those that call first, then rooms, then people; moved in by arrows.
 */

import { useEffect, useRef } from "../vendor/hooks.js";
import { computed } from "../vendor/signals.js";
import { isTalk } from "../core/room.js";
import { callsOf } from "../core/unread.js";
import { away, isUp, me, state } from "../client/hub.js";
import { decline, join, openRoom } from "../client/acting.js";
import { isMyTurn, whose } from "../client/dialogues.js";
import { lookAgain } from "../client/others.js";
import { isNarrow } from "../client/narrow.js";
import { dialogue, isListOpen, open } from "../client/shown.js";
import { keep, keyOf } from "../client/kept.js";
import { presenceOf } from "../client/presence.js";
import { count, t } from "../client/tongue.js";
import { html } from "./html.js";
import { Bell } from "./bell.js";
import { Further } from "./further.js";
import { Figure, Icon } from "./icons.js";
import { Line } from "./line.js";
import { Passing } from "./passing.js";
import { Welcome } from "./welcome.js";

const named = (a, b) => a.name.localeCompare(b.name);

const all = computed(() => [...state.value.rooms.values()]);
const rooms = computed(() => all.value.filter((one) => !isTalk(one.name)).sort(named));
const talks = computed(() =>
  all.value.filter((one) => isTalk(one.name)).sort((a, b) => b.last - a.last || named(a, b)),
);
const invitations = computed(() => [...state.value.others.values()].filter((one) => one.by));
const joinable = computed(() => state.value.others.size - invitations.value.length);
/** Whether who came in is in no room, where the list is all there is to be seen. */
const isAllEmpty = computed(() => isNarrow.value && state.value.me !== null && all.value.length === 0);

/** The rooms in the order in which they are shown. */
export const inOrder = () => [...rooms.value, ...talks.value].map((one) => one.name);

export function Rooms() {
  const list = useRef();
  return html`<nav class="rooms" aria-label=${t("rooms")} onPointerEnter=${lookAgain} onFocusIn=${lookAgain}>
    <${Top} />
    <div class="rooms-frame"><div ref=${list} class="rooms-list" onKeyDown=${move}>
      ${
        invitations.value.length > 0 &&
        html`<${Part} title=${t("invitations")}>
        ${invitations.value.map((one) => html`<${Invitation} key=${one.name} one=${one} />`)}<//>`
      }
      <${Part} title=${t("rooms")} add=${t("find or make a room")} act=${find}>
        ${rooms.value.map((one) => html`<${Row} key=${one.name} one=${one} />`)}
        ${joinable.value > 0 && html`<${More} words=${count("more rooms", joinable.value)} />`}
        ${rooms.value.length + joinable.value === 0 && html`<${More} words=${t("make a room")} />`}
      <//>
      <${Part} title=${t("people")} add=${t("write to somebody")} act=${() => (dialogue.value = { is: "talk" })}>
        ${talks.value.map((one) => html`<${Row} key=${one.name} one=${one} />`)}
        ${talks.value.length === 0 && html`<li class="none">${t("no talks")}</li>`}
      <//>
      ${isAllEmpty.value && html`<${Welcome} of="h2" />`}
    </div><${Further} list=${list} /></div>
    ${isNarrow.value && html`<${Line} />`}
    <${Passing} at="list" />
    <div class="rooms-foot"><${Me} /><${Bell} /></div>
  </nav>`;
}

const find = () => (dialogue.value = { is: "rooms" });

/** What stands above the list. */
function Top() {
  // Where the list is all there is to be seen, its name is that of the page.
  const Plate = isNarrow.value && (isListOpen.value || !open.value) ? "h1" : "span";
  return html`<div class="rooms-head">
    <${Plate} class="plate">relais<//>
    <button type="button" class="quiet-button" aria-label=${t("go to")} title=${`${t("go to")} (Ctrl K)`}
      onClick=${() => (dialogue.value = { is: "switcher" })}><${Icon} name="search" /></button>
  </div>`;
}

const More = ({ words }) => html`<li><button type="button" class="row quiet-row" onClick=${find}><span
  class="sign">+</span><span class="row-name">${words}</span></button></li>`;

function Part({ title, add, act, children }) {
  return html`<section class="part" aria-label=${title}>
    <header><h2>${title}</h2>${
      add &&
      html`<button type="button" class="quiet-button" aria-label=${add} title=${add}
      onClick=${act}><${Icon} name="plus" /></button>`
    }</header>
    <ul>${children}</ul>
  </section>`;
}

function Row({ one }) {
  const { name, unread, isPrivate, level } = one;
  const isOpen = open.value === name;
  const doesCall = !isOpen && callsOf(one) > 0;
  const classes = `row ${level === "none" ? "muted" : unread > 0 ? "has-news" : ""} ${doesCall ? "calls" : ""}`;
  const row = useRef();
  useEffect(() => {
    if (isOpen) row.current.scrollIntoView({ block: "nearest" });
  }, [isOpen]);
  const isTwo = isTalk(name);
  const user = isTwo ? name.slice(1) : null;
  const how = presenceOf(user).how;
  return html`<li><button type="button" ref=${row} class=${classes}
    aria-current=${isOpen ? "page" : undefined} data-room=${name}
    tabindex=${isOpen || !open.value ? 0 : -1} onClick=${() => openRoom(name)}>
    ${
      isTwo
        ? html`<${Figure} name=${user} how=${how} />`
        : html`<span
      class="sign">${isPrivate ? html`<${Icon} name="lock" />` : "#"}</span>`
    }
    <bdi class="row-name">${isTwo ? user : name.slice(1)}</bdi>${how && html`<span class="sr">${t(how)}</span>`}
    <${Marks} one=${one} isOpen=${isOpen} />
    <${Badge} one=${one} />
  </button></li>`;
}

/** What there is to do, and that it does not call. */
function Marks({ one, isOpen }) {
  const { name, unread, level } = one;
  const isMine = isMyTurn(one);
  const marks = [
    [one.dialogue && !isMine, "held-there", "turns", one.dialogue ? whose(one) : ""],
    [!isOpen && unread === 0 && keep.get(keyOf("draft", me.value, name)), "draft", "edit", t("draft")],
    [hasFailed(name), "failed", "alert", t("not sent")],
    [level === "none", "mute", "bell-off", t("muted room")],
  ].filter(([is]) => is);
  return html`${marks.map(
    ([, kind, icon, words]) => html`<span key=${kind} class=${kind} title=${words}><${Icon} name=${icon} /><span
    class="sr">${words}</span></span>`,
  )}${isMine && html`<span class="tag turn">${t("your turn")}</span>`}`;
}

/** Whether something was refused there, and waits for somebody to look at it. */
const hasFailed = (name) => state.value.outbox.some((one) => one.room === name && one.state === "failed");

/** What of it calls, or else how much is new. */
function Badge({ one }) {
  const { unread, mentions } = one;
  if (unread === 0) return null;
  const news = count("unread", unread);
  return mentions > 0
    ? html`<b class="badge for-me"><span class="sr">${`${news}, ${count("for you", mentions)}`}</span><span
      aria-hidden="true">${mentions}</span></b>`
    : html`<b class=${`badge ${callsOf(one) > 0 ? "wanted" : ""}`}><span class="sr">${news}</span><span
      aria-hidden="true">${unread > 199 ? "200+" : unread}</span></b>`;
}

function Invitation({ one }) {
  const { name, by } = one;
  const act = (words, does, kind) => html`<button type="button" class=${`small ${kind}`} aria-label=${`${words}: ${name}`}
    onClick=${does}>${words}</button>`;
  return html`<li class="invitation"><span><bdi>${name}</bdi> <span class="quiet">${t("by", by)}</span></span>
    ${act(t("come in"), () => join(name), "main")}${act(t("decline"), (click) => declineHere(click, name), "")}</li>`;
}

/** Declines, and leaves the keyboard in the list, where its button was. */
async function declineHere({ currentTarget }, name) {
  const list = currentTarget.closest(".rooms-list");
  await decline(name);
  requestAnimationFrame(() => {
    if (document.activeElement === document.body) list.querySelector(".invitation button, .row")?.focus();
  });
}

function Me() {
  const how = !isUp.value ? "offline" : away.value ? "away" : "online";
  return html`<button type="button" class="me" title=${t("settings")}
    onClick=${() => (dialogue.value = { is: "settings" })}>
    <${Figure} name=${me.value ?? ""} how=${how} />
    <span class="me-words"><bdi class="name">${me.value}</bdi><span
      class="quiet">${how === "away" ? html`<bdi>${away.value}</bdi>` : t(how)}</span></span>
    <span class="sr">${t("settings")}</span><${Icon} name="settings" />
  </button>`;
}

function move(event) {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!by || event.altKey || event.ctrlKey) return;
  const rows = [...event.currentTarget.querySelectorAll("button.row, .invitation button")];
  const at = rows.indexOf(document.activeElement);
  rows[(at + by + rows.length) % rows.length]?.focus();
  event.preventDefault();
}
