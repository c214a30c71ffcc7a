// One try of a test: how long it took, and what was wrong. It has its time, and whatever it has opened is closed
// behind it: what is late would go on beside the next try else.

import { performance } from "node:perf_hooks";

export async function once(test, close, millis) {
  const began = performance.now();
  let alarm;
  const late = new Promise((_, reject) => {
    alarm = setTimeout(() => reject(new Error(`not done after ${millis} ms`)), millis);
  });
  let wrong;
  try {
    await Promise.race([test(), late]);
  } catch (error) {
    wrong = `\n    ${String(error.stack ?? error).split("\n").slice(0, 8).join("\n    ")}`;
  } finally {
    clearTimeout(alarm);
    await close();
  }
  return { took: (performance.now() - began) / 1000, wrong };
}
