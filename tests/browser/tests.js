// What a person with a browser can rely on.

import { equal, eventually } from "./stage.js";

const PAGES = ["/", "/requests.html", "/gallery.html", "/text.html", "/learn.html"];

// What the browser says of a 404 that was asked for.
const NOTED_404 = /404.*\/no\/such\/page|\/no\/such\/page.*404|status of 404/;

export const TESTS = {
  async "every page of the demo loads over h2 without a complaint"(visit) {
    for (const path of PAGES) {
      const answer = await visit.go("demo", path);
      equal(answer.status(), 200, path);
      const spoken = await visit.page.evaluate(() => performance.getEntriesByType("navigation").concat(performance.getEntriesByType("resource")).map((one) => one.nextHopProtocol));
      equal([...new Set(spoken)], ["h2"], `protocols of ${path}`);
      const details = await answer.securityDetails();
      equal(details.protocol, "TLS 1.3", path);
      await visit.shoot(`demo-${path.replace(/\W/g, "") || "start"}`);
    }
  },

  async "the demo loads by address and in the clear, too"(visit) {
    for (const site of ["demoByAddress", "demoClear"]) equal((await visit.go(site)).status(), 200, site);
  },

  async "no page asks anybody else for anything"(visit) {
    const asked = new Set();
    visit.page.on("request", (request) => asked.add(new URL(request.url()).origin));
    for (const path of PAGES) await visit.go("demo", path);
    equal([...asked], [visit.sites.demo], "servers asked");
  },

  async "links within the demo lead somewhere"(visit) {
    const links = new Set();
    for (const path of PAGES) {
      await visit.go("demo", path);
      for (const link of await visit.page.$$eval("a[href]", (all) => all.map((one) => one.href))) links.add(link);
    }
    for (const link of links) {
      const url = new URL(link);
      if (url.origin !== visit.sites.demo || url.pathname === "/no/such/page") continue;
      equal((await visit.context.request.get(link, { ignoreHTTPSErrors: true })).status(), 200, link);
      if (!url.hash) continue;
      await visit.page.goto(link);
      equal(await visit.page.locator(url.hash).count(), 1, `places named ${link}`);
    }
  },

  async "all panels of the requests page get the answer they hope for"(visit) {
    visit.expect(NOTED_404);
    await visit.go("demo", "/requests.html");
    await visit.page.click("#all");
    const panels = visit.page.locator(".panel");
    equal(await panels.count(), 8, "panels");
    await eventually("all eight answered", async () => {
      const states = await panels.evaluateAll((all) => all.map((one) => one.dataset.state));
      return states.every((state) => state && state !== "asking");
    });
    const verdicts = await panels.evaluateAll((all) => all.map((one) => [one.id, one.dataset.state, one.querySelector(".verdict").textContent]));
    equal(verdicts.filter(([, state]) => state !== "good"), [], "panels that are not good");
    const protocol = verdicts.find(([id]) => id === "protocol")[2];
    if (!protocol.startsWith("h2")) throw new Error(protocol);
    await visit.shoot("demo-requests-answered");
  },

  async "loaded again, a page comes as a short 304"(visit) {
    await visit.go("demo", "/text.html");
    const answers = [];
    visit.page.on("response", async (answer) => answers.push(answer));
    await visit.page.reload({ waitUntil: "load" });
    const sizes = await visit.page.evaluate(() => performance.getEntriesByType("navigation").map(({ transferSize, encodedBodySize, responseStatus }) => ({ transferSize, encodedBodySize, responseStatus })));
    // A 304 costs its head alone: the body that is shown comes from the browser's cache.
    if (sizes[0].transferSize >= sizes[0].encodedBodySize) throw new Error(`sent again: ${JSON.stringify(sizes)}`);
    const etag = answers.find((answer) => answer.url().endsWith("/text.html")).headers().etag;
    const again = await visit.page.evaluate(async (etag) => (await fetch("/text.html", { headers: { "If-None-Match": etag }, cache: "no-store" })).status, etag);
    equal(again, 304, "asked with its ETag");
  },

  async "what is not there has a page for people"(visit) {
    visit.expect(NOTED_404);
    equal((await visit.go("demo", "/no/such/page")).status(), 404);
    equal(await visit.page.textContent("h1"), "Nothing at this address");
    await visit.shoot("demo-404");
  },

  async "text is packed on its way"(visit) {
    await visit.go("demo", "/text.html");
    const coding = () => visit.page.evaluate(async () => (await fetch(`/style.css?${Math.random()}`, { cache: "no-store" })).headers.get("content-encoding"));
    await eventually("a coding", coding);
  },

  async "the demo can be walked through by keyboard"(visit) {
    await visit.go("demo");
    await visit.page.keyboard.press("Tab");
    equal(await visit.page.evaluate(() => document.activeElement.className), "skip", "first stop");
    await visit.page.keyboard.press("Enter");
    equal(await visit.page.evaluate(() => document.activeElement.id), "main", "where it leads");
    const seen = new Set();
    for (let stop = 0; stop < 60; stop += 1) {
      await visit.page.keyboard.press("Tab");
      seen.add(await visit.page.evaluate(() => document.activeElement.href ?? document.activeElement.id));
    }
    for (const path of PAGES.slice(1)) {
      if (!seen.has(visit.sites.demo + path)) throw new Error(`never reached: ${path}`);
    }
  },

  async "the theme is kept from page to page"(visit) {
    await visit.go("demo");
    const background = () => visit.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor + getComputedStyle(document.body).backgroundColor);
    await visit.page.emulateMedia({ colorScheme: "light" });
    const light = await background();
    const before = await visit.page.textContent("button.theme");
    for (let press = 0; press < 3 && (await background()) === light; press += 1) await visit.page.click("button.theme");
    const dark = await background();
    if (dark === light) throw new Error(`the button changes nothing: ${before}`);
    await visit.go("demo", "/learn.html");
    equal(await background(), dark, "on the next page");
  },

  async "nothing is wider than a narrow screen"(visit) {
    visit.expect(NOTED_404);
    await visit.page.setViewportSize({ width: 320, height: 640 });
    const places = [...PAGES, "/no/such/page"].map((path) => ["demo", path]).concat([["files", "/"], ["empty", "/"]]);
    for (const [site, path] of places) {
      await visit.go(site, path);
      const width = await visit.page.evaluate(() => document.documentElement.scrollWidth);
      if (width > 320) throw new Error(`${site} ${path} is ${width} pixels wide`);
    }
  },

  async "a listing shows every name and its links work"(visit) {
    // A text has no icon to name, so the browser asks for the usual one.
    visit.expect(/favicon\.ico/);
    await visit.go("files");
    await visit.shoot("listing");
    const names = await visit.page.$$eval("a[href]", (all) => all.map((one) => one.textContent.trim()));
    for (const name of ["small.txt", "empty", "<b>bold & \"quoted\".txt", "日本語 ünïcödé.txt"]) {
      if (!names.some((one) => one.includes(name))) throw new Error(`no link ${name} among ${names.join(", ")}`);
    }
    const links = await visit.page.$$eval("a[href]", (all) => all.map((one) => one.href));
    const inside = links.filter((link) => link.startsWith(visit.sites.files) && !link.includes("?") && !link.includes("#"));
    for (const link of inside) equal((await visit.context.request.get(link, { ignoreHTTPSErrors: true })).status(), 200, link);
    await visit.page.getByRole("link", { name: "a folder" }).first().click();
    await visit.page.waitForURL(/a%20folder\/$/);
    await visit.page.getByRole("link", { name: "inside" }).first().click();
    await visit.page.waitForURL(/inside\/$/);
    await visit.shoot("listing-deep");
    await visit.page.getByRole("link", { name: "deep.txt" }).first().click();
    equal(await visit.page.textContent("body"), "xxxxx");
  },

  async "a listing sorts by what is clicked"(visit) {
    await visit.go("files");
    const order = async () => (await visit.page.$$eval("tbody a[href]", (all) => all.map((one) => one.textContent.trim()))).filter((name) => name.endsWith(".txt"));
    const before = await order();
    await visit.page.getByRole("link", { name: /size/i }).or(visit.page.getByRole("button", { name: /size/i })).first().click();
    await eventually("another order", async () => JSON.stringify(await order()) !== JSON.stringify(before));
    const bySize = await order();
    await visit.page.getByRole("link", { name: /size/i }).or(visit.page.getByRole("button", { name: /size/i })).first().click();
    await eventually("the other way round", async () => JSON.stringify(await order()) === JSON.stringify([...bySize].reverse()));
  },

  async "a listing can be walked through by keyboard"(visit) {
    await visit.go("files");
    const links = await visit.page.$$eval("a[href]", (all) => all.length);
    const seen = new Set();
    for (let stop = 0; stop < links + 10; stop += 1) {
      await visit.page.keyboard.press("Tab");
      const at = await visit.page.evaluate(() => {
        const { href, tagName } = document.activeElement;
        const style = getComputedStyle(document.activeElement);
        return { href: tagName === "A" ? href : null, outline: style.outlineStyle !== "none" || style.boxShadow !== "none" };
      });
      if (!at.href) continue;
      seen.add(at.href);
      if (!at.outline) throw new Error(`nothing shows that ${at.href} is chosen`);
    }
    const hrefs = await visit.page.$$eval("a[href]", (all) => [...new Set(all.map((one) => one.href))]);
    equal(hrefs.filter((href) => !seen.has(href)), [], "links never reached");
  },

  async "an empty folder and a refusal have pages of their own"(visit) {
    visit.expect(/404/);
    await visit.go("empty");
    await visit.shoot("listing-empty");
    equal((await visit.go("files", "/none.txt")).status(), 404);
    const heading = await visit.page.textContent("body");
    if (!/404|not found|nothing/i.test(heading)) throw new Error(`a 404 that does not say so: ${heading}`);
    await visit.shoot("refusal");
  },

  async "pages have names, languages and landmarks"(visit) {
    visit.expect(NOTED_404);
    for (const [site, path] of [...PAGES, "/no/such/page"].map((path) => ["demo", path]).concat([["files", "/"]])) {
      await visit.go(site, path);
      const found = await visit.page.evaluate(() => ({
        lang: document.documentElement.lang !== "",
        title: document.title !== "",
        headings: document.querySelectorAll("h1").length,
        main: document.querySelectorAll("main").length,
        unnamed: [...document.querySelectorAll("img:not([alt]), button:empty:not([aria-label]), a[href]:empty:not([aria-label])")].length,
      }));
      equal(found, { lang: true, title: true, headings: 1, main: 1, unnamed: 0 }, `${site} ${path}`);
    }
  },

  async "the page of a hub is there after few requests, and as it is written, too"(visit) {
    for (const [site, path, most] of [["hub", "/", 12], ["hubClear", "/", 12], ["hubClear", "/source.html", Infinity]]) {
      const asked = [];
      const note = (request) => asked.push(new URL(request.url()).pathname);
      visit.context.on("request", note);
      await visit.go(site, path);
      await visit.page.waitForSelector(".entrance form");
      await visit.page.waitForLoadState("networkidle");
      visit.context.off("request", note);
      if (asked.length > most) throw new Error(`${asked.length} requests, expected ${most} at most: ${asked.join(" ")}`);
      equal(asked.includes("/main.js"), path === "/source.html", `modules of ${site}${path} one by one`);
    }
  },
};
