/**
 * What time it is, by the hub's clock: that of a machine may be wrong by hours.
 */

let behind = 0;

/** The hub says what time it is. */
export function setBy(time) {
  const its = Date.parse(time);
  if (Number.isFinite(its)) behind = its - Date.now();
}

/** Milliseconds since 1970; by this machine's clock, until the hub has said what time it is. */
export const now = () => Date.now() + behind;
