/**
 * Who is there, as the hub tells it while there is a line to it. What it told before nobody knows to be so any more.
 */

import { isUp, state } from "./hub.js";

const UNKNOWN = { how: "unknown" };
const UNTOLD = {};

/** `how` somebody is there, `online`, `away`, `offline` or `unknown`, and their `text`; nothing, of whom the hub told nothing. */
export const presenceOf = (user) => (isUp.value ? (state.value.presence.get(user) ?? UNTOLD) : UNKNOWN);
