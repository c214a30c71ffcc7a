/**
 * What can be done about a person: write to them, name them, and what moderators may.
 */

import { isAbove, isTalk } from "../core/room.js";
import { moderate, talkTo } from "../client/acting.js";
import { me, state } from "../client/hub.js";
import { trying } from "../client/passing.js";
import { dialogue, room as shownRoom } from "../client/shown.js";
import { t } from "../client/tongue.js";
import { heldItems } from "./held.js";
import { openMenu } from "./menu.js";
import { insert } from "./insert.js";

const MINUTES = 60;

export function showPerson(event, name) {
  const room = shownRoom.value;
  const items = [];
  if (name !== me.value) {
    items.push({ text: t("write to", name), icon: "reply", act: () => trying(() => talkTo(name)) });
    if (room) items.push({ text: t("name in room", name), icon: "people", act: () => insert(`@${name} `) });
    items.push(null, ...heldItems(name, state.value.rooms.get(`@${name}`)?.dialogue));
  }
  if (room && !isTalk(room.name)) items.push(...moderation(room, name));
  if (items.length === 0)
    items.push({ text: t("that is you"), icon: "check", act: () => (dialogue.value = { is: "settings" }) });
  openMenu(event, { label: name, items });
}

/** What this person may do about another in a room. */
function moderation(room, name) {
  const other = room.people?.get(name);
  if (name === me.value || !isAbove(room.role, other?.role ?? "member")) {
    return room.role === "owner" && other && name !== me.value ? [null, ...roles(room, other)] : [];
  }
  const mute = (seconds) => moderate("MUTE", room.name, name, { on: true, ...(seconds ? { seconds } : {}) });
  const items = [null, ...(room.role === "owner" && other ? [...roles(room, other), null] : [])];
  items.push(
    { text: t("mute 10 minutes"), act: () => mute(10 * MINUTES) },
    { text: t("mute for good"), act: () => mute(0) },
    { text: t("unmute"), act: () => moderate("MUTE", room.name, name, { on: false }) },
    null,
    {
      text: t("kick…"),
      isBad: true,
      icon: "door",
      act: () => (dialogue.value = { is: "sending out", cmd: "KICK", user: name }),
    },
    {
      text: t("ban…"),
      isBad: true,
      icon: "lock",
      act: () => (dialogue.value = { is: "sending out", cmd: "BAN", user: name }),
    },
  );
  return items;
}

const roles = (room, other) =>
  ["member", "moderator", "owner"].map((role) => ({
    text: t(`role ${role}`),
    isOn: other.role === role,
    act: () => moderate("ROLE", room.name, other.user, { role }),
  }));
