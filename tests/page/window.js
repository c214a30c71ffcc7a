/** A browser of the test's own, and its line to a hub that the test plays. */

export const kept = new Map();
globalThis.localStorage = {
  get length() {
    return kept.size;
  },
  key: (index) => [...kept.keys()][index] ?? null,
  getItem: (name) => kept.get(name) ?? null,
  setItem: (name, text) => kept.set(name, text),
  removeItem: (name) => kept.delete(name),
};
globalThis.addEventListener = () => {};
globalThis.document = { addEventListener() {}, documentElement: {}, hidden: false };
globalThis.navigator ??= { languages: ["en"] };
globalThis.matchMedia = () => ({ matches: false, addEventListener() {} });
globalThis.location = { href: "http://127.0.0.1:6680/" };

/** Each that was opened; the last is the one that is there. */
export const sockets = [];
globalThis.WebSocket = class {
  constructor() {
    Object.assign(this, { readyState: 1, sent: [] });
    sockets.push(this);
    queueMicrotask(() => this.onopen());
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.isClosed = true;
  }
};

export const settled = () => new Promise(setImmediate);
export const keep = (key, value) => kept.set(`relais-chat.${key}`, JSON.stringify(value));
/** The hub says something. */
export const told = (frame) => sockets.at(-1).onmessage({ data: JSON.stringify(frame) });

/** Answers what was asked last. */
export async function answer(fields) {
  await settled();
  const { id } = sockets.at(-1).sent.at(-1);
  told({ re: id, ...fields });
  await settled();
}
