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

export const cid = () => newCid((bytes) => crypto.getRandomValues(bytes));
