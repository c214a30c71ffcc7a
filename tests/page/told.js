/** What a hub tells ana, and what is known after it. */

import * as states from "../../web/chat/core/state.js";

export const listed = (fields) => ({
  room: "#lab",
  topic: "",
  private: false,
  role: "member",
  last: 10,
  read: 10,
  unread: 0,
  members: 2,
  ...fields,
});

export const said = (seq, fields) => ({
  ev: "message",
  room: "#lab",
  seq,
  prev: seq - 1,
  ts: "2026-11-22T12:00:00.000Z",
  from: "bob",
  kind: "text",
  body: `m${seq}`,
  ...fields,
});

/** Ana, in #lab, who has heard all up to 10. */
export const ana = (fields) =>
  states.loggedIn(states.nothing, { user: "ana", session: "s", cursor: 10, rooms: [listed(fields)] }, false);

/** The state after events, and what was wanted on the way. */
export function after(state, ...events) {
  const wanted = [];
  for (const event of events) {
    const told = states.hear(state, event, 0);
    state = told.state;
    if (told.missing) wanted.push(told.missing);
  }
  return { state, wanted, lab: state.rooms.get("#lab") };
}

export const bodies = (room) => room.entries.filter((one) => one.ev === "message").map((one) => one.body);
