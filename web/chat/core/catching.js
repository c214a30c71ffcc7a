/**
 * Catching up with rooms of which something is missing, until the hub has told it: one request at a time, about all of
 * them.
 *
 * It knows neither a browser nor a clock: what asks and what waits is given to it.
 */

import { Lost, USUAL_WAIT_MS } from "./connection.js";

export class CatchingUp {
  /** Each room of which something is missing, and behind which entry. */
  #missing = new Map();
  #isAsked = false;
  #pause = null;

  /**
   * @param {object} means
   * @param {(cmd: string, fields: object) => Promise} means.ask asks the hub
   * @param {{set: Function, clear: Function}} means.timers as `setTimeout` and `clearTimeout`
   * @param {(room: string) => void} means.caughtUp is told of each room that was told again
   * @param {(ms: ?number) => void} means.putOff gives the line up, for so long: the next login asks for all that is missing
   */
  constructor(means) {
    Object.assign(this, means);
  }

  /** Of a room all is missing that is behind an entry. */
  miss({ room, after }) {
    this.#missing.set(room, after);
    if (!this.#isAsked && this.#pause === null) this.#ask();
  }

  /** There is no line: the next login asks for it. */
  forget() {
    this.timers.clear(this.#pause);
    this.#pause = null;
    this.#missing.clear();
  }

  async #ask() {
    const asked = this.#missing;
    [this.#missing, this.#isAsked] = [new Map(), true];
    try {
      await this.ask("RESUME", { rooms: Object.fromEntries(asked) });
      // Of what lagged again meanwhile more is missing.
      for (const room of asked.keys()) if (!this.#missing.has(room)) this.caughtUp(room);
    } catch (error) {
      this.#refused(error, asked);
    }
    this.#isAsked = false;
    if (this.#missing.size > 0 && this.#pause === null) this.#ask();
  }

  #refused(error, asked) {
    if (error instanceof Lost) return;
    if (!error.isPassing) {
      this.putOff(error.retryMs);
      return;
    }
    this.#missing = new Map([...this.#missing, ...asked]);
    const again = () => {
      this.#pause = null;
      this.#ask();
    };
    this.#pause = this.timers.set(again, error.retryMs ?? USUAL_WAIT_MS);
  }
}
