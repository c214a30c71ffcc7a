/**
 * What a room's log looks like: days, what people said one after the other, and what else happened.
 */

/** Who goes on within so long goes on in the same group. */
const GROUP_MS = 5 * 60_000;

/** What is told beside what was said. Events that this page does not know are left out. */
const TOLD = new Set([
  "create",
  "join",
  "part",
  "topic",
  "role",
  "invite",
  "kick",
  "ban",
  "unban",
  "mute",
  "unmute",
  "slow",
  "retain",
  "dialogue",
  "dialogue_end",
]);

/**
 * Gives the lines of a log, in order.
 *
 * `day` begins a day; `new` is where what was not read begins; `words` is a message, `isFirst` if its author is
 * to be named; `happened` is a few entries of one kind (`events`) that stand together.
 *
 * @param {object[]} entries of the log, without changes of others
 * @param {{dayOf: (ts: string) => string, newAfter: ?number, me: string}} view `newAfter` is the last that was read
 * when the room was opened
 * @param {{after: number}[]} own lines that are in no log, each behind the entry `after`
 */
export function linesOf(entries, { dayOf, newAfter, me }, own = []) {
  const lines = [];
  const left = [...own].sort((one, other) => one.after - other.after);
  let day = "";
  let isMarked = newAfter === null;
  for (const event of entries) {
    while (left[0]?.after < event.seq) lines.push(left.shift());
    if (event.ev !== "message" && !TOLD.has(event.ev)) continue;
    const its = dayOf(event.ts);
    if (its !== day) lines.push({ is: "day", key: `day ${its} ${event.seq}`, ts: event.ts });
    day = its;
    if (!isMarked && event.seq > newAfter && event.from !== me) {
      isMarked = true;
      lines.push({ is: "new", key: "new" });
    }
    const line = event.ev === "message" ? words(lines.at(-1), event) : happened(lines, event);
    if (line) lines.push(line);
  }
  return [...lines, ...left];
}

function words(before, event) {
  const isOn = before?.is === "words" && goesOn(before.event, event);
  return { is: "words", key: event.seq, event, isFirst: !isOn };
}

function goesOn(one, next) {
  const isPlain = (event) => event.kind === "text" && event.reply === undefined;
  return (
    one.from === next.from &&
    one.kind === "text" &&
    isPlain(next) &&
    isSoon(one.ts, next.ts)
  );
}

const MINUTE_END = "2026-11-22T12:00".length;

/** Within the same minute nothing has to be counted. */
const isSoon = (one, next) =>
  one.slice(0, MINUTE_END) === next.slice(0, MINUTE_END) || Date.parse(next) - Date.parse(one) < GROUP_MS;

/** Who comes in and leaves is told in one line. */
function happened(lines, event) {
  const before = lines.at(-1);
  const isSame = before?.is === "happened" && before.ev === event.ev && (event.ev === "join" || event.ev === "part");
  if (!isSame) return { is: "happened", key: event.seq, ev: event.ev, events: [event] };
  lines[lines.length - 1] = { ...before, events: [...before.events, event] };
  return undefined;
}

/** Lines whose entries are no further apart than that stand in one piece. */
const PIECE_SEQS = 64;

/**
 * Cuts lines into pieces that are drawn, and left out of the drawing, as one. Where they are cut depends on entries
 * alone, so that pieces stay the same when more is read before or comes behind.
 *
 * @returns {{key: number, lines: object[]}[]}
 */
export function piecesOf(lines) {
  const pieces = [];
  for (const line of lines) {
    const seq = (line.event ?? line.events?.[0])?.seq;
    const last = pieces.at(-1);
    const key = seq === undefined ? last?.key : Math.floor(seq / PIECE_SEQS);
    if (last && (last.key === key || last.key === undefined)) {
      last.key ??= key;
      last.lines.push(line);
    } else pieces.push({ key, lines: [line] });
  }
  return pieces;
}
