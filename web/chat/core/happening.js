/**
 * Which words tell of what happened in a room beside what was said.
 */

const isNone = (value) => value === undefined || value === null;

const HARD = {
  topic: ({ topic }) => (topic ? "topic" : "no topic"),
  slow: ({ value }) => (value ? "slow" : "no slow"),
  // 0 days are not for good: old logs have them.
  retain: ({ value }) => (isNone(value) ? "no retain" : "retain"),
  create: ({ room }) => (room.startsWith("@") ? "talk" : "create"),
  dialogue: ({ mode }) => `dialogue ${mode}`,
  dialogue_end: ({ word }) => (word ? "dialogue_end by" : "dialogue_end"),
};

/** The name of the words for an event. */
export const wordsFor = (event) => HARD[event.ev]?.(event) ?? event.ev;
