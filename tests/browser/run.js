// Loads every page that relais serves in a real browser, over https and with a certificate of the
// local authority that the browser was told to trust.
//
//     node run.js               every test
//     node run.js PATTERN       those whose names hold it
//
// The program is target/debug/relais, or what RELAIS names; the browser is what CHROMIUM names, or
// /usr/bin/chromium. Screenshots are left in a temporary folder, or in the one that SHOTS names.

import { mkdtempSync, mkdirSync, rmSync, accessSync, constants } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { TESTS } from "./tests.js";
import { Stage } from "./stage.js";

const RELAIS = process.env.RELAIS ?? new URL("../../target/debug/relais", import.meta.url).pathname;
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const TEST_MILLIS = 60_000;

for (const program of [RELAIS, CHROMIUM]) {
  try {
    accessSync(program, constants.X_OK);
  } catch {
    console.error(`error: no program at ${program}`);
    process.exit(2);
  }
}

const folder = mkdtempSync(join(tmpdir(), "relais-browser-"));
const shots = process.env.SHOTS ?? mkdtempSync(join(tmpdir(), "relais-shots-"));
mkdirSync(shots, { recursive: true });
const pattern = process.argv[2] ?? "";
let passed = 0;
let failed = 0;
const stage = new Stage({ relais: RELAIS, chromium: CHROMIUM, folder, shots });
try {
  await stage.begin();
  for (const [title, test] of Object.entries(TESTS)) {
    if (title.includes(pattern)) await run(title, test);
  }
} finally {
  await stage.end();
  rmSync(folder, { recursive: true, force: true });
}
console.log(`screenshots: ${shots}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);

async function run(title, test) {
  const began = performance.now();
  const late = new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`not done after ${TEST_MILLIS} ms`)), TEST_MILLIS).unref();
  });
  let verdict = " passed";
  let words = "";
  try {
    await Promise.race([stage.visit(test), late]);
    passed += 1;
  } catch (error) {
    failed += 1;
    verdict = " failed";
    words = `\n    ${String(error.stack ?? error).split("\n").slice(0, 8).join("\n    ")}`;
  }
  const took = ((performance.now() - began) / 1000).toFixed(1).padStart(5);
  console.log(`${verdict} ${took} s  ${title}${words}`);
}
