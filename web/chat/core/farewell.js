/**
 * Logs out a device at a hub that was not there when its person left: on a line of its own, that comes back until the
 * hub has heard of it. What is known of the device is the token alone, and it is kept nowhere else.
 */

import { Connection, Lost } from "./connection.js";

/** Of a token that is worth nothing any more, nobody has to be told. */
const WORTHLESS = new Set(["TOKEN_EXPIRED", "SESSION_REVOKED", "BAD_CREDENTIALS"]);
const USUAL_WAIT_MS = 5000;

/**
 * Begins to call.
 *
 * @param {object} means `open`, `timers` and `random`, as a line has them
 * @param {{token: string, isAll: boolean}} what which device, and whether all others of its person are logged out, too;
 * that may become otherwise until the hub is there
 * @param {() => void} done the hub has heard of it
 */
export function farewell(means, what, done) {
  const line = new Connection({ ...means, heard: () => {}, changed: () => {}, opened: tell });
  async function tell() {
    try {
      await line.ask("HELLO", { proto: 1, client: "relais-page/1" });
      await line.ask("LOGIN", { token: what.token });
      await line.ask("LOGOUT", what.isAll ? { all: true } : {});
    } catch (error) {
      if (error instanceof Lost) return; // It calls again by itself.
      if (!WORTHLESS.has(error.code)) {
        line.later(error.retryMs ?? USUAL_WAIT_MS);
        line.lose(line.socket);
        return;
      }
    }
    line.close();
    done();
  }
  line.call();
  return line;
}
