/**
 * What an answer of the hub to a typed line is about: told by the fields it has.
 */

/** What was set has a room, too, and is not one: the first that is found says it. */
const FIELDS = ["hook", "certificate", "seq", "events", "rooms", "words", "room", "members", "user", "value", "sessions", "commands"];

/** The field that says what an answer is, or `undefined` of one that says only that it was done. */
export const kindOf = (answer) => FIELDS.find((field) => answer[field] !== undefined);
