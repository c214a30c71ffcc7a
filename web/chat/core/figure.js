/**
 * A figure for each name: the arms of an optical telegraph, as Chappe's stations showed them. The regulator has
 * four positions and each indicator seven, so two people in a room seldom have the same; the colour helps.
 */

const REGULATOR = [0, 45, 90, 135];
const INDICATOR = [0, 45, 90, 135, 225, 270, 315];
const HUES = 10;

/**
 * @param {string} name
 * @returns {{regulator: number, left: number, right: number, hue: number}} degrees, and which of ten colours
 */
export function figureOf(name) {
  let hash = 2_166_136_261;
  for (const char of name.toLowerCase()) hash = Math.imul(hash ^ char.codePointAt(0), 16_777_619) >>> 0;
  // The low bits of this hash alone vary too little between short names.
  hash = Math.imul(hash ^ (hash >>> 15), 2_246_822_519) >>> 0;
  hash ^= hash >>> 13;
  const take = (count) => {
    const taken = (hash >>> 0) % count;
    hash = Math.floor((hash >>> 0) / count);
    return taken;
  };
  return { hue: take(HUES), regulator: REGULATOR[take(4)], left: INDICATOR[take(7)], right: INDICATOR[take(7)] };
}
