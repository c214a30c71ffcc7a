/** What a key means that is pressed while one writes. */

import { test } from "node:test";
import assert from "node:assert/strict";
import { isAlone, isComposing } from "../../web/chat/view/composing.js";

test("the key that ends a word is of it, in browsers that told its end before, too", () => {
  const check = (event, expected) => assert.equal(isComposing({ key: "Enter", ...event }), expected);
  check({ isComposing: true, keyCode: 13 }, true);
  check({ isComposing: false, keyCode: 229 }, true);
  check({ isComposing: false, keyCode: 13 }, false);
});

test("a key that is pressed with others is not what it is alone", () => {
  const key = { altKey: false, ctrlKey: false, metaKey: false, shiftKey: false };
  assert.equal(isAlone(key), true);
  for (const other of Object.keys(key)) assert.equal(isAlone({ ...key, [other]: true }), false, other);
});
