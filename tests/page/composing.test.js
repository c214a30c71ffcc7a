/** A word that is composed of several keys is not sent by the last of them. */

import { test } from "node:test";
import assert from "node:assert/strict";
import { isComposing } from "../../web/chat/view/composing.js";

test("the key that ends a word is of it, in browsers that told its end before, too", () => {
  const check = (event, expected) => assert.equal(isComposing({ key: "Enter", ...event }), expected);
  check({ isComposing: true, keyCode: 13 }, true);
  check({ isComposing: false, keyCode: 229 }, true);
  check({ isComposing: false, keyCode: 13 }, false);
});
