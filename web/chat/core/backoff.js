/**
 * How long to wait before calling a hub again that was not there.
 */

const FIRST_MS = 400;
const LONGEST_MS = 30_000;

/**
 * Gives the wait before an attempt, the first of which is 0. It doubles up to half a minute; half of it is
 * drawn, so that not all who lost a hub come back to it at once.
 *
 * @param {number} attempt how many failed before
 * @param {() => number} random draws from 0 to 1
 * @returns {number} milliseconds
 */
export function waitBefore(attempt, random) {
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return longest / 2 + (random() * longest) / 2;
}
