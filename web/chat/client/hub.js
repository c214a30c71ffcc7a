/**
 * The hub, as the page has it: what is known of it, the line to it, and coming in and going.
 */

import { batch, computed, effect, signal } from "../vendor/signals.js";
import { Connection, Lost } from "../core/connection.js";
import { Farewells } from "../core/farewell.js";
import * as outbox from "../core/outbox.js";
import * as states from "../core/state.js";
import { setBy } from "./clock.js";
import { forgetOf, keep } from "./kept.js";
import { lang } from "./tongue.js";

/** What is known; see `core/state.js`. */
export const state = signal(states.nothing);
/** `starting`, `out`, or `in`: whether somebody is logged in, or was and the hub is not there just now. */
export const phase = signal(keep.get("token") ? "in" : "out");
/** What the hub says of itself. */
export const server = signal(null);
/** The line: `calling`, `up`, `waiting` (then `retryAt`), `closed`. */
export const line = signal({ how: "closed", retryAt: null });
/** What one says about being away. */
export const away = signal(null);
/** Why one was sent out, if one was. */
export const sentOut = signal(null);

export const isUp = computed(() => line.value.how === "up");

/** What `of` gives, for the many who look at it: they hear of it when it is another, not with each event. */
export function steady(of) {
  const its = signal(of());
  effect(() => {
    its.value = of();
  });
  return its;
}

export const me = steady(() => state.value.me ?? keep.get("user"));

/**
 * Who wants to hear what happened: messages that are news, logins, lost lines, that the log was set back, that somebody is not
 * here any more.
 */
const listeners = { news: [], entered: [], missing: [], lost: [], rewound: [], left: [] };
export const on = (what, listener) => listeners[what].push(listener);
const tell = (what, ...about) => listeners[what].forEach((listener) => listener(...about));

/** Changes what is known. */
export const change = (step, ...given) => {
  state.value = step(state.value, ...given);
};

/** Asks the hub. */
export const ask = (cmd, fields) => connection.ask(cmd, fields);

export const timers = { set: (...given) => setTimeout(...given), clear: (timer) => clearTimeout(timer) };

const means = {
  open: () => new WebSocket(new URL("ws", location.href.replace(/^http/, "ws"))),
  timers,
  random: Math.random,
};

const connection = new Connection({
  ...means,
  heard,
  opened: () => greet().catch(() => {}),
  changed: (how, ms) => {
    line.value = { how, retryAt: how === "waiting" ? Date.now() + ms : null };
    if (how === "waiting" || how === "closed") {
      change((known) => ({ ...known, outbox: outbox.lost(known.outbox), typing: new Map() }));
      tell("lost");
    }
  },
});

function heard(event) {
  if (event.ev === "bye") return ended(event);
  if (event.ev === "rewound") return beginAnew();
  batch(() => {
    const { state: after, missing, news } = states.hear(state.value, event, Date.now());
    state.value = after;
    if (missing) tell("missing", missing);
    if (news) tell("news", news);
  });
}

/** What is known may be in the hub's log no more: it is read again, as by who comes in for the first time. */
function beginAnew() {
  change(states.rewound);
  connection.again();
  tell("rewound");
}

/** The hub ends the line; one may have been logged out elsewhere. */
function ended({ code, retry_ms: retryMs, msg }) {
  if (isSomebodyElse()) connection.again();
  else if (IS_OUT.has(code)) sendOut(code, msg);
  else connection.later(retryMs ?? 0);
}

/** By these the hub says that a token is worth nothing. */
const IS_OUT = new Set(["SESSION_REVOKED", "TOKEN_EXPIRED"]);

/** By what this window came in. */
let shown = null;

/** The token of this window is worth nothing: another window may have come in anew meanwhile, by one of its own. */
function sendOut(code, msg) {
  const kept = keep.get("token");
  if (kept !== null && kept !== shown) {
    connection.again();
    return;
  }
  // Who ended the session wants nothing of it to stay here; what only grew old may be gone on with.
  if (code === "SESSION_REVOKED") forgetOf(me.value);
  leave(msg);
}

/** Who wants in, and by what: a request that waits for the line. */
let wish = null;

async function greet() {
  try {
    server.value = await ask("HELLO", { proto: 1, client: "relais-page/1", lang: lang.value });
    setBy(server.value.time);
    if (wish) await fulfil();
    else if (keep.get("token")) await comeBack();
    else connection.close(); // Who is nobody is not kept on the line.
  } catch (error) {
    if (error instanceof Lost) throw error;
    // Refused for a while: as many are here as may be, say.
    connection.putOff(error.retryMs);
  }
}

async function fulfil() {
  const { cmd, fields, done, refuse } = wish;
  try {
    const answer = await ask(cmd, fields);
    shown = answer.token;
    keep.set("token", shown);
    keep.set("user", answer.user);
    wish = null;
    enter(answer, false);
    done();
  } catch (error) {
    wish = null;
    connection.close();
    refuse(error);
  }
}

/** Makes an account, or logs in with a password, which is kept nowhere. */
export function comeIn(cmd, { user, password, invitation }) {
  const fields = { user, password, device: deviceName(), ...(invitation ? { invitation } : {}) };
  return new Promise((done, refuse) => {
    wish = { cmd, fields, done, refuse };
    sentOut.value = null;
    connection.close();
    connection.call();
  });
}

/** The hub could not be reached in time for who waits to come in. */
on("lost", () => {
  if (!wish || line.value.how !== "waiting") return;
  const { refuse } = wish;
  wish = null;
  connection.close();
  refuse(new Lost());
});

async function comeBack() {
  if (isSomebodyElse()) forget();
  const { cursor, me: was } = state.value;
  const resume = was !== null && cursor > 0 ? { resume: { since: cursor } } : {};
  try {
    shown = keep.get("token");
    enter(await ask("LOGIN", { token: shown, ...resume }), Boolean(resume.resume));
  } catch (error) {
    if (IS_OUT.has(error.code)) sendOut(error.code, error.message);
    else throw error;
  }
}

function enter(answer, isResuming) {
  batch(() => {
    change(states.loggedIn, answer, isResuming);
    phase.value = "in";
    connection.settle();
  });
  tell("entered", answer, isResuming);
}

/** Is nobody again, here. */
function leave(why) {
  batch(() => {
    keep.set("token", null);
    keep.set("user", null);
    phase.value = "out";
    forget();
    sentOut.value = why ?? null;
    connection.close();
  });
}

/** Who comes next, in this window, is to see nothing of who was here. */
function forget() {
  batch(() => {
    state.value = states.nothing;
    away.value = null;
    tell("left");
  });
}

/** Whether somebody else came in by another window of this browser: what it keeps is theirs. */
const isSomebodyElse = () =>
  state.value.me !== null && keep.get("token") !== null && keep.get("user") !== state.value.me;

// So are all its windows, and not just those whose line happens to break; and who comes in or logs out, does so in all.
addEventListener("storage", () => {
  const isKept = keep.get("token") !== null;
  if (isSomebodyElse()) connection.again();
  else if (phase.value === "in" && !isKept) leave();
  else if (phase.value === "out" && isKept && !wish) {
    phase.value = "in";
    connection.again();
  }
});

/** Of who logged out while the hub was not there: whether it is still to `hear` of it, or has `heard`. */
export const unheard = signal(null);

/** What the hub is still to hear of. */
const farewells = new Farewells(means, () => {
  if (unheard.value) unheard.value = "heard";
});

/** So long a hub that seems to be there may take to hear that somebody logs out. */
const GOODBYE_MS = 2000;

/**
 * Logs this device out, or all: their tokens are worth nothing then. What this browser keeps is forgotten in any case;
 * a hub that is not there hears of it when it is, while the page stays open.
 */
export async function logOut(isAll) {
  const [user, token] = [me.value, keep.get("token")];
  const asked = ask("LOGOUT", isAll ? { all: true } : {}).then(() => true, () => false);
  const hasHeard = await Promise.race([asked, new Promise((late) => setTimeout(late, GOODBYE_MS, false))]);
  forgetOf(user);
  leave();
  if (hasHeard || !token) return;
  unheard.value = "to hear";
  farewells.add({ token, user, isAll });
}

on("entered", (answer) => {
  unheard.value = null;
  farewells.entered(answer);
});

/** Calls the hub; and at once when the network or the person comes back. */
export function begin() {
  connection.call();
  addEventListener("online", () => connection.nudge());
  addEventListener("offline", () => connection.nudge());
  document.addEventListener("visibilitychange", () => document.hidden || connection.nudge());
}

export const callNow = () => connection.nudge();

/** Gives the line up, for so long: the next login asks for all that is missing. */
export const putOff = (ms) => connection.putOff(ms);

/** What this browser is called among a person's devices. */
function deviceName() {
  const agent = navigator.userAgent;
  const browser = [
    ["Firefox", /Firefox\//],
    ["Edge", /Edg\//],
    ["Chromium", /Chrom(e|ium)\//],
    ["Safari", /Safari\//],
  ].find(([, its]) => its.test(agent));
  const system = [
    ["Android", /Android/],
    ["iOS", /iPhone|iPad/],
    ["Windows", /Windows/],
    ["macOS", /Mac OS/],
    ["Linux", /Linux/],
  ].find(([, its]) => its.test(agent));
  return [browser?.[0] ?? "browser", system?.[0]].filter(Boolean).join(", ");
}
