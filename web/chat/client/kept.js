/**
 * What this browser keeps of the page, and what is drawn by chance: the ways out of it that are not the hub.
 */

import { Keep } from "../core/keep.js";
import { newCid } from "../core/outbox.js";

export const keep = new Keep(storage());

function storage() {
  try {
    return globalThis.localStorage;
  } catch {
    return null; // Forbidden: everything lasts as long as the page.
  }
}

/** What is kept for one person: a draft of a room, what was not sent. Names have no blank, so none begins as another's. */
export const keyOf = (what, user, its = "") => `${what}.${user} ${its}`;

/** Forgets what somebody wrote and did not send, and where they looked. */
export function forgetOf(user) {
  for (const what of ["draft", "unsent"]) keep.forget(keyOf(what, user));
  keep.set(`open.${user}`, null);
}

export const cid = () => newCid((bytes) => crypto.getRandomValues(bytes));
