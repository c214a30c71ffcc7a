/**
 * When somebody who goes to bed now is to be called again.
 */

const MORNING = 8;
/** Until then it is still the evening, for who is up so late. */
const NIGHT = 4;

/** @param {Date} now */
export function morningAfter(now) {
  const then = new Date(now);
  then.setHours(MORNING, 0, 0, 0);
  if (now.getHours() >= NIGHT) then.setDate(then.getDate() + 1);
  return then;
}
