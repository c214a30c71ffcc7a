/**
 * All that the hub has of this person, as a file to keep: lines of JSON, as `relais hub user export` writes them.
 */

import { signal } from "../vendor/signals.js";
import { Lost } from "../core/connection.js";
import { ask, me, on, state } from "./hub.js";

/** While it is asked for, how many lines there are until now; else `null`. */
export const exported = signal(null);

/** After so long it is asked again for what the hub did not give: it says itself how long, or the line was lost. */
const USUAL_WAIT_MS = 1000;

/** The export that is under way: another is another object. */
let run = null;

export function stopExporting() {
  run = null;
  exported.value = null;
}

on("left", stopExporting);

/**
 * Asks for all of it, page by page, over lost lines, too, and has the browser save it. Gives by which name; nothing, if
 * it was ended.
 *
 * @param {string} name of the file
 * @throws {Refused} if the hub does not give it
 */
export async function exportAll(name = `${me.value}.jsonl`) {
  const own = (run = {});
  const isOn = () => run === own;
  const user = me.value;
  exported.value = 0;
  try {
    const lines = await head(user, isOn);
    for (let [after, more] = [0, true]; more && isOn(); ) {
      const page = await patiently("EXPORT", { after }, isOn);
      if (!page) return undefined;
      // What was before it in its room may be others'.
      for (const { prev: _, ...event } of page.exported) lines.push(event);
      [after, more] = [page.upto, page.more];
      exported.value = lines.length;
    }
    if (!isOn()) return undefined;
    save(name, [...lines, { is: "end", lines: lines.length }]);
    return name;
  } finally {
    if (isOn()) stopExporting();
  }
}

/** Who it is, by which devices, and in which rooms. */
async function head(user, isOn) {
  const { sessions = [] } = (await patiently("SESSIONS", {}, isOn)) ?? {};
  const devices = sessions.map(({ device, session, seen }) => ({ is: "device", device, session, seen }));
  const inRooms = [...state.value.rooms.values()].filter((room) => room.last > 0);
  const members = inRooms.map(({ name: room, role, read }) => ({ is: "member", room, role, read }));
  return [{ is: "account", user }, ...devices, ...members];
}

/** Asks until there is an answer; gives nothing if it is not wanted any more. */
async function patiently(cmd, fields, isOn) {
  while (isOn()) {
    try {
      return await ask(cmd, fields);
    } catch (error) {
      if (!(error instanceof Lost) && error.retryMs === undefined) throw error;
      await new Promise((done) => setTimeout(done, error.retryMs ?? USUAL_WAIT_MS));
    }
  }
  return undefined;
}

/** So long a browser may take to begin with a file. */
const SAVING_MS = 60_000;

function save(name, lines) {
  const file = new Blob(
    lines.map((line) => `${JSON.stringify(line)}\n`),
    { type: "application/jsonl" },
  );
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), SAVING_MS);
}
