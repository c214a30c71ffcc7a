// A relais, a browser that trusts it, and visits that notice whatever goes wrong.

import { execFileSync, spawn } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { chromium } from "playwright-core";

// The demo beside a folder with odd names and a hub, each in the clear and over TLS.
const CONFIG = `
[serve.demo]
listen = ["http://127.0.0.1:0", "https://127.0.0.1:0"]
root = "relais:demo"
error_pages = { 404 = "404.html" }

[serve.files]
listen = ["http://127.0.0.1:0", "https://127.0.0.1:0"]
root = "files"
listing = true

[serve.empty]
listen = ["http://127.0.0.1:0", "https://127.0.0.1:0"]
root = "empty"
listing = true

[hub.talk]
listen = ["http://127.0.0.1:0", "https://127.0.0.1:0"]
store = "hub.db"
`;

const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

export class Stage {
  constructor({ relais, chromium, folder, shots }) {
    Object.assign(this, { relais, chromium, folder, shots });
  }

  async begin() {
    this.grow();
    this.env = { PATH: process.env.PATH, HOME: this.folder, RELAIS_DATA: join(this.folder, "data"), NO_COLOR: "1", LC_ALL: "C.UTF-8" };
    await this.serve();
    this.trust();
    this.browser = await chromium.launch({
      executablePath: this.chromium, headless: true, args: FLAGS, env: this.env,
    });
  }

  // What the listing is to show.
  grow() {
    const files = join(this.folder, "files");
    mkdirSync(join(files, "a folder/inside"), { recursive: true });
    mkdirSync(join(files, "Zebra"), { recursive: true });
    mkdirSync(join(this.folder, "empty"));
    const write = (name, size) => writeFileSync(join(files, name), "x".repeat(size));
    write("small.txt", 12);
    write("medium.txt", 34_567);
    write("large.bin", 2_345_678);
    write("empty", 0);
    write("<b>bold & \"quoted\".txt", 99);
    write("日本語 ünïcödé.txt", 1234);
    write("a-name-that-is-so-long-that-it-hardly-fits-on-a-narrow-screen-without-being-broken-somewhere.tar.gz", 777);
    write("a folder/inside/deep.txt", 5);
    for (let number = 0; number < 12; number += 1) write(`file ${number}.txt`, number * 1000);
  }

  async serve() {
    const path = join(this.folder, "relais.toml");
    writeFileSync(path, CONFIG);
    const log = join(this.folder, "relais.log");
    const sink = createWriteStream(log);
    await new Promise((open) => sink.on("open", open));
    this.process = spawn(this.relais, ["up", path], { cwd: this.folder, env: this.env, stdio: ["ignore", sink, sink] });
    const urls = await eventually("eight addresses told", () => {
      const found = readFileSync(log, "utf8").match(/^https?:\/\/[^\s/]+:[1-9][0-9]*/gm) ?? [];
      if (this.process.exitCode !== null) throw new Error(`relais ended: ${readFileSync(log, "utf8")}`);
      return found.length >= 8 && found;
    });
    // By the name that certificates are for everywhere.
    const named = (url) => url.replace("127.0.0.1", "localhost");
    const [clear, tls] = ["http:", "https:"].map((scheme) => urls.filter((url) => url.startsWith(scheme)));
    this.sites = { demo: named(tls[0]), demoClear: clear[0], demoByAddress: tls[0], files: named(tls[1]), empty: named(tls[2]), hub: named(tls[3]), hubClear: clear[3] };
  }

  trust() {
    const store = join(this.folder, ".pki/nssdb");
    mkdirSync(store, { recursive: true });
    const certutil = (...words) => execFileSync("certutil", ["-d", `sql:${store}`, ...words], { env: this.env });
    const authority = join(this.folder, "data/authority/ca.pem");
    if (!existsSync(authority)) throw new Error(`no authority at ${authority}`);
    certutil("-N", "--empty-password");
    certutil("-A", "-t", "C,,", "-n", "relais", "-i", authority);
  }

  // Runs a test in a browser of its own cache, open until `leave`; fails if the browser complained of
  // anything that the test did not expect.
  async visit(test) {
    const context = await this.browser.newContext({ ignoreHTTPSErrors: false, viewport: { width: 1280, height: 800 } });
    context.setDefaultTimeout(40_000);
    const visit = new Visit(this, context, await context.newPage());
    await test(visit);
    visit.expectQuiet();
  }

  // Closes all that visits have opened: one that still runs can do nothing more.
  async leave() {
    for (const context of this.browser.contexts()) await context.close();
  }

  async end() {
    await this.browser?.close();
    if (!this.process || this.process.exitCode !== null) return;
    const ended = new Promise((done) => this.process.on("exit", done));
    this.process.kill("SIGTERM");
    const status = await Promise.race([ended, pause(20_000, "late")]);
    if (status !== 0) {
      this.process.kill("SIGKILL");
      throw new Error(`relais ended with ${status}, expected 0`);
    }
  }
}

export class Visit {
  constructor(stage, context, page) {
    Object.assign(this, { stage, context, page, sites: stage.sites, complaints: [], expected: [] });
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.complaints.push(`${message.type()}: ${message.text()} (${message.location().url})`);
    });
    page.on("pageerror", (error) => this.complaints.push(`exception: ${error}`));
    page.on("requestfailed", (request) => {
      const why = request.failure()?.errorText;
      // What was under way when the page was left.
      if (why !== "net::ERR_ABORTED") this.complaints.push(`failed: ${request.url()}: ${why}`);
    });
    page.on("response", (response) => {
      if (response.status() >= 400) this.complaints.push(`${response.status()}: ${response.url()}`);
    });
  }

  // Complaints that match are what the test is about.
  expect(pattern) {
    this.expected.push(pattern);
  }

  expectQuiet() {
    const loud = this.complaints.filter((one) => !this.expected.some((pattern) => pattern.test(one)));
    if (loud.length > 0) throw new Error(`the browser complained:\n  ${loud.join("\n  ")}`);
  }

  async go(site, path = "/") {
    return this.page.goto(this.sites[site] + path, { waitUntil: "load" });
  }

  // One picture for each combination of light and width; the whole page.
  async shoot(name) {
    for (const colorScheme of ["light", "dark"]) {
      for (const [width, word] of [[390, "narrow"], [1280, "wide"]]) {
        await this.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await this.page.setViewportSize({ width, height: 800 });
        await pause(150);
        await this.page.screenshot({ path: join(this.stage.shots, `${name}-${word}-${colorScheme}.png`), fullPage: true });
      }
    }
    await this.page.emulateMedia({ colorScheme: null, reducedMotion: null });
    await this.page.setViewportSize({ width: 1280, height: 800 });
  }
}

export async function eventually(what, question, millis = 20_000) {
  const end = Date.now() + millis;
  for (;;) {
    const answer = await question();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`not within ${millis} ms: ${what}`);
    await pause(50);
  }
}

export function equal(found, expected, what = "found") {
  const [one, other] = [found, expected].map((value) => JSON.stringify(value));
  if (one !== other) throw new Error(`${what}: ${one}, expected ${other}`);
}
