/**
 * Tables, and maps that are not changed but made anew, so that who holds the old one sees that there is another.
 */

/** `map` with `value` at `key`. */
export const put = (map, key, value) => new Map(map).set(key, value);

/** `map` without `key`; the same map, if it was not there. */
export function without(map, key) {
  if (!map.has(key)) return map;
  const left = new Map(map);
  left.delete(key);
  return left;
}

/** What a table has under a key that somebody else chose; nothing that every object has. */
export const entry = (table, key) => (Object.hasOwn(table, key) ? table[key] : undefined);
