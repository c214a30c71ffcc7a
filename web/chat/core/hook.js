/**
 * What programs say by hooks: the hub tells it as a notice of who made the hook, behind the hook's name, as
 * `[build] done`. Nothing else says that it came so: whose words it is stays in sight, therefore.
 */

/**
 * @param {{kind: string, body: ?string, from: string}} event a message
 * @returns {{name: string, body: ?string, owner?: string}} who is to be shown as having said what; `owner` is whose
 * hook it was, if it was one
 */
export function spokenBy({ kind, body, from }) {
  const [, name, said] = (kind === "notice" && /^\[([^\]\n]+)\] ([\s\S]+)$/.exec(body ?? "")) || [];
  return name ? { name, body: said, owner: from } : { name: from, body };
}
