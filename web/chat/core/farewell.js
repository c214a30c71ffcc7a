/**
 * Logs out a device at a hub that was not there when its person left: on a line of its own, that comes back until the
 * hub has heard of it. What is known of the device is the token alone, and it is kept nowhere else.
 */

import { Connection, Lost } from "./connection.js";

/** Of a token that is worth nothing any more, nobody has to be told. */
const WORTHLESS = new Set(["TOKEN_EXPIRED", "SESSION_REVOKED", "BAD_CREDENTIALS"]);
const USUAL_WAIT_MS = 5000;

/** Who logged out of this page while the hub was away, until it has heard of them all. */
export class Farewells {
  /**
   * @param {object} means `open`, `timers` and `random`, as a line has them
   * @param {() => void} heard the hub has heard of all of them
   * @param {Function} begin what has the hub hear of one, as `farewell`
   */
  constructor(means, heard, begin = farewell) {
    Object.assign(this, { means, heard, begin });
    this.all = new Set();
  }

  /** Has the hub hear of `token`, which was `user`'s, as soon as it is there; and of all their others if `isAll`. */
  add({ token, user, isAll }) {
    const what = { token, user, isAll, stays: new Set() };
    this.all.add(what);
    this.begin(this.means, what, () => {
      this.all.delete(what);
      if (this.all.size === 0) this.heard();
    });
  }

  /** Who comes in again meanwhile stays by that: all others were meant. Who else comes in changes nothing. */
  entered({ user, session }) {
    for (const what of this.all) {
      if (what.user === user) what.stays.add(session);
    }
  }
}

/**
 * Begins to call.
 *
 * @param {object} means `open`, `timers` and `random`, as a line has them
 * @param {{token: string, isAll: boolean, stays: Set<string>}} what which device, whether all others of its person are
 * logged out, too, and the sessions of those that are not; there may be more of these until the hub is there
 * @param {() => void} done the hub has heard of it
 */
export function farewell(means, what, done) {
  const line = new Connection({ ...means, heard: () => {}, changed: () => {}, opened: tell });
  async function tell() {
    try {
      await line.ask("HELLO", { proto: 1, client: "relais-page/1" });
      await line.ask("LOGIN", { token: what.token });
      const isEach = what.isAll && what.stays.size > 0;
      if (isEach) await revokeOthers(line, what.stays);
      await line.ask("LOGOUT", what.isAll && !isEach ? { all: true } : {});
    } catch (error) {
      if (error instanceof Lost) return; // It calls again by itself.
      if (!WORTHLESS.has(error.code)) {
        line.putOff(error.retryMs ?? USUAL_WAIT_MS);
        return;
      }
    }
    line.close();
    done();
  }
  line.call();
  return line;
}

/** Logs out all devices of who is logged in on `line`, one by one, but this one and those whose session `stays`. */
async function revokeOthers(line, stays) {
  const { sessions } = await line.ask("SESSIONS");
  for (const { session, this: isThis } of sessions) {
    if (isThis || stays.has(session)) continue;
    await line.ask("REVOKE", { session }).catch((error) => {
      if (error.code !== "BAD_FIELD") throw error; // Else it is not there any more.
    });
  }
}
