/**
 * Dialogues: two who speak each in turn, or whoever likes, until one of them says the last word. The hub holds the turn.
 */

import { isTalk, otherTurn } from "../core/room.js";
import { isLastWord } from "../core/typed.js";
import { cameIn } from "./acting.js";
import { ask, me, state } from "./hub.js";
import { trying } from "./passing.js";
import { t } from "./tongue.js";

/** Begins a dialogue with somebody: in `turns`, or `free`. */
export const hold = (user, mode) => trying(async () => cameIn(await ask("DIALOGUE", { with: user, mode })));

export const end = (user) => trying(() => ask("DIALOGUE", { with: user, mode: "end" }));

/**
 * Who is to speak before this person may again, if anybody: whose turn it is, or will be once the hub has what
 * was said here. What ends the dialogue may be said at any time.
 */
export function whoFirst(room, text = "") {
  if (room.dialogue?.mode !== "turns" || isLastWord(text)) return null;
  const isUnderWay = (one) => one.room === room.name && one.cmd === "MESSAGE" && one.state !== "failed";
  const isSaid = state.value.outbox.some(isUnderWay);
  return otherTurn(room, me.value) ?? (isSaid ? room.name.slice(1) : null);
}

/** Whose turn it is, in words. */
export function whose(room) {
  if (room.dialogue.mode === "free") return t("free dialogue");
  return isMyTurn(room) ? t("your turn") : t("turn of", whoFirst(room));
}

/** Whether it is this person's turn, in a dialogue that has turns. */
export const isMyTurn = (room) => isTalk(room.name) && room.dialogue?.mode === "turns" && whoFirst(room) === null;
