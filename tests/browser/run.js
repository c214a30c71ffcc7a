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
import { TESTS } from "./tests.js";
import { Stage } from "./stage.js";
import { once } from "./tries.js";

const RELAIS = process.env.RELAIS ?? new URL("../../target/debug/relais", import.meta.url).pathname;
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const TEST_MILLIS = 180_000;
// A browser on a machine that is busy with something else may be late by chance: what fails is tried
// again, and told as flaky if it passes then. What is wrong fails again, and where many fail it is not
// by chance. What is told as flaky is to be mended all the same.
const SECOND_TRIES_MAX = 3;

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
let tries = 0;
const stage = new Stage({ relais: RELAIS, chromium: CHROMIUM, folder, shots });
try {
  await stage.begin();
  for (const [title, test] of Object.entries(TESTS)) {
    if (title.includes(pattern)) await twiceIfNeedBe(title, test);
  }
} finally {
  await stage.end();
  rmSync(folder, { recursive: true, force: true });
}
console.log(`screenshots: ${shots}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);

async function twiceIfNeedBe(title, test) {
  let came = await run(test);
  if (came.wrong && tries < SECOND_TRIES_MAX) {
    tries += 1;
    const again = await run(test);
    came = again.wrong
      ? { ...again, wrong: `${came.wrong}\n    and when it was tried again:${again.wrong}` }
      : { ...again, flaky: `\n    passed when it was tried again; at first:${came.wrong}` };
  }
  if (came.wrong) failed += 1;
  else passed += 1;
  const verdict = came.wrong ? "failed" : came.flaky ? "flaky" : "passed";
  console.log(`${verdict.padStart(7)} ${came.took.toFixed(1).padStart(5)} s  ${title}${came.wrong ?? came.flaky ?? ""}`);
}

function run(test) {
  return once(() => stage.visit(test), () => stage.leave(), TEST_MILLIS);
}
