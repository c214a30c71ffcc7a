/**
 * A line to a hub that comes back by itself: requests and their answers, events, and calling again.
 *
 * It knows neither a browser nor a clock: what opens a socket, what waits and what draws are given to it.
 */

import { waitBefore } from "./backoff.js";

/** After so long a silence the hub is asked whether it is there. */
const SILENCE_MS = 30_000;
/** Where there is a reason to doubt that it is there, it is waited for no longer than that. */
const DOUBT_MS = 4000;
/** And after so long a silence of that, too, the line is taken for dead. */
const PATIENCE_MS = 10_000;

/** So long a hub is left alone that is not ready, and does not say when it is. */
const LATER_MS = 5000;

/** What is no frame is refused without a number, too. */
const NO_FRAME = new Set(["BAD_FRAME", "FRAME_TOO_BIG"]);

/** What is wrong with a field is said by what was expected; else by what the code means. */
const FIELD_CODES = new Set(["BAD_FIELD", "MISSING_FIELD"]);

/** The sentence of a refusal without the name of the field, which is for who writes programs. */
function plainOf({ code, msg, field }) {
  const sign = ` [${field}]`;
  const at = msg?.indexOf(sign) ?? -1;
  if (!field || at < 0) return msg;
  const rest = msg.slice(at + sign.length);
  const [, why] = /^ \((.+)\)$/s.exec(rest) ?? [];
  return why && FIELD_CODES.has(code) ? why : msg.slice(0, at) + rest;
}

/** Where these refuse it, the same may come to something later. */
const PASSING = new Set(["RATE_LIMITED", "UNAVAILABLE", "SHUTDOWN"]);

/** So long is waited then, where the hub does not say how long. */
export const USUAL_WAIT_MS = 1000;

/** The hub says no: `code` is for programs, `message` for people; what is `isPassing` may be asked again. */
export class Refused extends Error {
  constructor({ code, msg, retry_ms: retryMs, field, why }) {
    super(plainOf({ code, msg, field }) ?? code);
    Object.assign(this, { code, retryMs, field, why, isPassing: PASSING.has(code) });
  }
}

/** The line was lost before the answer came: it may have been done, or not. */
export class Lost extends Error {}

export class Connection {
  /**
   * @param {object} means
   * @param {() => WebSocket} means.open opens a socket
   * @param {{set: Function, clear: Function}} means.timers as `setTimeout` and `clearTimeout`
   * @param {() => number} means.random draws from 0 to 1
   * @param {(event: object) => void} means.heard is told each event
   * @param {() => void} means.opened is told that requests can be made
   * @param {(state: "calling" | "up" | "waiting" | "closed", retryAt: ?number) => void} means.changed
   */
  constructor(means) {
    Object.assign(this, means);
    this.asked = new Map();
    this.number = 0;
    this.attempt = 0;
    this.socket = null;
    this.retry = null;
    this.silence = null;
  }

  /** Calls now, unless it calls or speaks already. */
  call() {
    this.timers.clear(this.retry);
    this.retry = null;
    if (this.socket) return;
    this.changed("calling");
    let socket;
    try {
      socket = this.open();
    } catch {
      this.wait();
      return;
    }
    this.socket = socket;
    socket.onopen = () => this.socket === socket && this.greet();
    socket.onmessage = ({ data }) => this.socket === socket && this.take(data);
    socket.onclose = () => this.lose(socket);
    this.listen(PATIENCE_MS);
  }

  /** Ends the line, and calls no more. */
  close() {
    this.timers.clear(this.retry);
    this.retry = null;
    const socket = this.socket;
    if (socket) this.drop(socket);
    this.changed("closed");
  }

  /** Begins anew, at once. */
  again() {
    this.close();
    this.call();
  }

  /** Something about the network changed: call at once, or see whether the hub is there. */
  nudge() {
    if (this.socket) this.probe(DOUBT_MS);
    else if (this.retry !== null) this.call();
  }

  /** The hub said when it wants to be called again. */
  later(ms) {
    this.asLate = ms;
  }

  /** The hub is not ready: hangs up, and calls when it likes. */
  putOff(ms = LATER_MS) {
    this.later(ms);
    this.lose(this.socket);
  }

  /** All is well: the next loss begins with a short wait. */
  settle() {
    this.attempt = 0;
    this.changed("up");
  }

  /**
   * Asks, and gives the answer.
   *
   * @throws {Refused} if the hub says no
   * @throws {Lost} if the line breaks before the answer
   */
  ask(cmd, fields = {}) {
    return new Promise((answer, refuse) => {
      const socket = this.socket;
      if (socket?.readyState !== 1) {
        refuse(new Lost());
        return;
      }
      const id = ++this.number;
      this.asked.set(id, { answer, refuse });
      socket.send(JSON.stringify({ cmd, id, ...fields }));
    });
  }

  greet() {
    this.listen(SILENCE_MS);
    this.opened();
  }

  take(text) {
    this.listen(SILENCE_MS);
    let frame;
    try {
      frame = JSON.parse(text);
    } catch {
      return; // Lines for people, which begin with `# `.
    }
    if (frame.ev) this.heard(frame);
    else this.settleOne(frame);
  }

  settleOne(frame) {
    // What LOGIN missed is told without a number.
    if (frame.re === undefined) {
      this.settleMissed(frame);
      return;
    }
    const waiting = this.asked.get(frame.re);
    this.asked.delete(frame.re);
    if (frame.err) waiting?.refuse(new Refused(frame.err));
    else waiting?.answer(frame);
  }

  /** Without what was missed, what comes behind it must not be taken for the next: the next login asks for it again. */
  settleMissed({ cursor, err }) {
    if (cursor !== undefined) this.heard({ ev: "resumed", cursor });
    else if (err && !NO_FRAME.has(err.code)) this.putOff(err.retry_ms);
  }

  listen(ms) {
    this.timers.clear(this.silence);
    const socket = this.socket;
    this.silence = this.timers.set(() => {
      if (ms === SILENCE_MS && socket?.readyState === 1) this.probe(PATIENCE_MS);
      else this.lose(socket);
    }, ms);
  }

  probe(ms) {
    if (this.socket?.readyState !== 1) return;
    this.ask("PING").catch(() => {});
    this.listen(ms);
  }

  lose(socket) {
    if (!socket || this.socket !== socket) return;
    this.drop(socket);
    this.wait();
  }

  drop(socket) {
    this.socket = null;
    this.timers.clear(this.silence);
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    const asked = [...this.asked.values()];
    this.asked.clear();
    for (const { refuse } of asked) refuse(new Lost());
  }

  wait() {
    const ms = Math.max(waitBefore(this.attempt, this.random), this.asLate ?? 0);
    this.asLate = 0;
    this.attempt += 1;
    this.retry = this.timers.set(() => this.call(), ms);
    this.changed("waiting", ms);
  }
}
