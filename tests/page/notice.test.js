/** Notifications are shown by the page, or where no page may do that, by its worker. */

import { test } from "node:test";
import assert from "node:assert/strict";
import { showNotice } from "../../web/chat/core/notice.js";

const OPTIONS = { body: "hello", data: { room: "#lab" } };

test("a page shows them itself where it may, and hears of a press", () => {
  const told = [];
  class Notification {
    constructor(...given) {
      told.push(given);
      told.one = this;
    }
    close() {
      told.push("closed");
    }
  }
  showNotice({ Notification }, "bob", OPTIONS, () => told.push("pressed"));
  told.one.onclick();
  assert.deepEqual([...told], [["bob", OPTIONS], "pressed", "closed"]);
});

test("where a page may not, as on a telephone, its worker shows them, and nothing is thrown", async () => {
  const told = [];
  class Notification {
    constructor() {
      throw new TypeError("Illegal constructor. Use ServiceWorkerRegistration.showNotification() instead.");
    }
  }
  const worker = { ready: Promise.resolve({ showNotification: async (...given) => told.push(given) }) };
  showNotice({ Notification, worker }, "bob", OPTIONS);
  await worker.ready;
  assert.deepEqual(told, [["bob", OPTIONS]]);
  showNotice({ Notification }, "bob", OPTIONS);
  const forbidden = { ready: Promise.resolve({ showNotification: () => Promise.reject(new TypeError("no permission")) }) };
  showNotice({ Notification, worker: forbidden }, "bob", OPTIONS);
  await new Promise(setImmediate);
});
