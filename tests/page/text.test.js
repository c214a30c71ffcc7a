/** What was said, cut into parts; and what was typed, read. */

import { test } from "node:test";
import assert from "node:assert/strict";
import { firstLine, hasWord, isSigns, isUnbroken, partsOf } from "../../web/chat/core/text.js";
import { linesOf, piecesOf } from "../../web/chat/core/lines.js";
import { isLastWord, matching, mayKeep, readTyped, roomNamed, wordBefore } from "../../web/chat/core/typed.js";
import { spokenBy } from "../../web/chat/core/hook.js";
import { kindOf } from "../../web/chat/core/answers.js";
import { wordsFor } from "../../web/chat/core/happening.js";
import { figureOf } from "../../web/chat/core/figure.js";

const links = (text) =>
  partsOf(text)
    .filter((part) => part.is === "link")
    .map((part) => part.text);

test("links are http and https alone, and end before the sentence does", () => {
  const check = (text, ...expected) => assert.deepEqual(links(text), expected, text);
  check("see https://a.example/x.", "https://a.example/x");
  check("(https://a.example/b_(c))", "https://a.example/b_(c)");
  check("HTTPS://a.example?q=1, and http://b.example!", "HTTPS://a.example?q=1", "http://b.example");
  check("javascript:alert(1) data:text/html,x file:///etc/passwd ftp://a.example");
  check("https://");
  check("xhttps://a.example");
  check('"https://a.example"onclick="x', "https://a.example");
  check("https://a.example/<img>", "https://a.example/");
  check("https://a.example/\u202egnp.exe", "https://a.example/");
  check("https://a.example/\u200bx", "https://a.example/");
});

test("a link that does not lead where it seems to says where", () => {
  const host = (text) => partsOf(text)[0].host;
  assert.equal(host("https://bank.example@evil.example/"), "evil.example");
  assert.equal(host("https://аpple.example/"), "xn--pple-43d.example");
  assert.equal(host("https://a.example/"), undefined);
});

test("all of a text is in its parts", () => {
  const check = (text) =>
    assert.equal(
      partsOf(text)
        .map((part) => part.text)
        .join(""),
      text,
    );
  [
    "",
    "plain",
    "<img src=x onerror=alert(1)>",
    "@ana, #lab: https://a.example",
    "a@b.example #1 ##",
    "@".repeat(300),
    "https://".repeat(200),
  ].forEach(check);
});

test("no text takes long, whatever is in it", () => {
  const texts = ["z", "@", "@a.", "#", "`", "`a ", "```a ", "👍", "1 ", "(", "https://a.b ", "\u0301", "ﷺ"].map(
    (part) => part.repeat(16_384 / part.length),
  );
  texts.push(
    `https://a.b/${")".repeat(16_000)}`,
    `https://a.b/${".)".repeat(8_000)}`,
    `https://a.b/${"(".repeat(16_000)}`,
  );
  for (const text of texts) {
    const began = performance.now();
    partsOf(text);
    firstLine(text, 200);
    isSigns(text);
    const took = performance.now() - began;
    assert.ok(took < 300, `${text.slice(0, 12)}: ${took} ms`);
  }
  assert.equal(isUnbroken("z".repeat(300)), true);
  assert.equal(isUnbroken("a word and another ".repeat(100)), false);
  const names = (text) => partsOf(text).filter(({ is }) => is === "name").length;
  assert.equal(names("@a ".repeat(5000)), 500);
  assert.equal(names("@a `code` @b ".repeat(400)), 500);
});

test("code, names and rooms are parts of their own", () => {
  const is = (text) => partsOf(text).map((part) => `${part.is}:${part.text}`);
  assert.deepEqual(is("see `a @b` @ana."), ["words:see ", "code:a @b", "words: ", "name:@ana", "words:."]);
  assert.deepEqual(is("so:\n```js\nx < 1\n```\nyes"), ["words:so:", "block:x < 1", "words:yes"]);
  assert.deepEqual(is("in #lab"), ["words:in ", "room:#lab"]);
  assert.deepEqual(is("ana@example.org"), ["words:ana@example.org"]);
});

test("a word that is looked out for is found whole, in whatever case", () => {
  const found = (body) => hasWord(body, ["thé", "tea_4"]);
  for (const body of ["thé", "du THÉ?", "(tea_4)"]) assert.equal(found(body), true, body);
  for (const body of ["", "théâtre", "tea", "the"]) assert.equal(found(body), false, body);
  assert.equal(hasWord("thé", []), false);
});

test("a few signs alone are shown large", () => {
  assert.equal(isSigns("👍"), true);
  assert.equal(isSigns("🎉 👩‍👩‍👧"), true);
  assert.equal(isSigns("12"), false);
  assert.equal(isSigns("ok 👍"), false);
  assert.equal(isSigns("👍".repeat(9)), false);
});

test("a quote is one line, cut between letters", () => {
  assert.equal(firstLine("\n one\ntwo", 20), "one");
  assert.equal(firstLine("👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧", 2), "👩‍👩‍👧👩‍👩‍👧…");
});

test("what is typed is said, done here, or a command for the hub", () => {
  const check = (text, expected) => assert.deepEqual(readTyped(text), expected);
  check("  \n", null);
  check("hello\n", { say: "hello", kind: "text" });
  check("  indented", { say: "  indented", kind: "text" });
  check("//etc/hosts", { say: "/etc/hosts", kind: "text" });
  check("/me laughs", { say: "laughs", kind: "action" });
  check("/calc 2^64", { command: "/calc 2^64" });
  check("/MSG bob hi\nyou", { own: "talk", rest: "bob hi\nyou" });
  check("/constructor", { command: "/constructor" });
  check("/hist 3", { own: "history", rest: "3" });
  check("/Re 12 yes", { own: "reply", rest: "12 yes" });
  for (const [text, isLast] of Object.entries({ fin: true, " QUIT\n": true, "fin.": false, "la fin": false, "": false }))
    assert.equal(isLastWord(text), isLast, text);
  assert.equal(mayKeep("/password a b"), false);
  assert.equal(mayKeep("/désinscrire a"), false);
  assert.equal(mayKeep("/passwords"), true);
  assert.equal(mayKeep("hello /password"), true);
});

test("what a hook says is the hook's, and whose hook it is stays known", () => {
  const by = (fields) => spokenBy({ kind: "notice", from: "ana", ...fields });
  assert.deepEqual(by({ body: "[build] done\nall of it" }), { name: "build", body: "done\nall of it", owner: "ana" });
  for (const body of ["done", "[build]", "[] x", "[a\nb] x", " [a] x", null])
    assert.deepEqual(by({ body }), { name: "ana", body });
  // Nobody is taken for a program who says something themselves.
  assert.equal(by({ kind: "text", body: "[build] done" }).owner, undefined);
});

test("the word before the caret is completed", () => {
  assert.deepEqual(wordBefore("hi @él"), { sign: "@", word: "él", from: 3 });
  assert.deepEqual(wordBefore("/ca"), { sign: "/", word: "ca", from: 0 });
  assert.deepEqual(wordBefore("(#"), { sign: "#", word: "", from: 1 });
  for (const text of ["", "a@b", "say /ca", "@a "]) assert.equal(wordBefore(text), null, text);
  assert.deepEqual(matching(["zoé", "Éloïse", "ana"], "elo", 5), ["Éloïse"]);
  assert.deepEqual(matching(["bob", "abo", "bo"], "bo", 2), ["bob", "bo"]);
});

test("a room is named by its whole name, with its sign or without", () => {
  const check = (word, expected) => assert.equal(roomNamed(["#lab", "#labor", "@la", "#Café"], word), expected);
  check("lab", "#lab");
  check(" #LAB ", "#lab");
  check("café", "#Café");
  check("cafe", undefined);
  check("la", undefined);
  check("@la", undefined);
  check("", undefined);
});

test("days, groups and what is new are lines of the log", () => {
  const at = (seq, minute, fields) => ({
    ev: "message",
    seq,
    ts: `2026-11-22T12:${String(minute).padStart(2, "0")}:00Z`,
    from: "bob",
    kind: "text",
    body: "x",
    ...fields,
  });
  const view = { dayOf: (ts) => ts.slice(0, 10), newAfter: 2, me: "ana" };
  const shape = (entries) =>
    linesOf(entries, view).map((line) =>
      line.is === "words" ? `${line.isFirst ? "first" : "next"} ${line.key}` : line.is,
    );
  assert.deepEqual(shape([at(1, 0), at(2, 1), at(3, 2), at(4, 20), at(5, 21, { reply: 1 })]), [
    "day",
    "first 1",
    "next 2",
    "new",
    "first 3",
    "first 4",
    "first 5",
  ]);
  const joins = [1, 2].map((seq) => ({ ev: "join", seq, from: `u${seq}`, ts: "2026-11-22T12:00:00Z" }));
  assert.deepEqual(
    linesOf(joins, view).map((line) => line.events?.length),
    [undefined, 2],
  );
  // What is in no log stands where it was said, and parts who spoke on both sides of it.
  const own = [
    { is: "unsent", after: Infinity },
    { is: "unsent", after: 3 },
  ];
  assert.deepEqual(
    linesOf([at(3, 0), at(5, 1)], { ...view, newAfter: null }, own).map((line) => [line.is, line.isFirst, line.after]),
    [
      ["day", undefined, undefined],
      ["words", true, undefined],
      ["unsent", undefined, 3],
      ["words", true, undefined],
      ["unsent", undefined, Infinity],
    ],
  );
  // Own words begin nothing new.
  assert.deepEqual(shape([at(3, 0, { from: "ana" })]), ["day", "first 3"]);
});

test("pieces of a log stay as they are, whatever comes before or behind", () => {
  const at = (seq) => ({ key: seq, event: { seq } });
  const cut = (lines) => piecesOf(lines).map(({ key, lines: its }) => [key, its.length]);
  assert.deepEqual(cut([{ is: "day" }, at(60), at(63), { is: "new" }, at(64), at(200), { is: "unsent" }]), [
    [0, 4],
    [1, 1],
    [3, 2],
  ]);
  assert.deepEqual(cut([at(10), { is: "happened", events: [at(70).event, at(300).event] }]).length, 2);
  assert.deepEqual(cut([]), []);
  assert.deepEqual(cut([{ is: "unsent" }]), [[undefined, 1]]);
});

test("figures are the same for the same name, and differ for others", () => {
  assert.deepEqual(figureOf("Ana"), figureOf("ana"));
  const many = new Set(Array.from({ length: 200 }, (_, index) => JSON.stringify(figureOf(`user${index}`))));
  assert.ok(many.size > 170, `${many.size} figures for 200 names`);
});

test("an answer is told by what it has, and what is set for a room is no room", () => {
  const check = (answer, kind) => assert.equal(kindOf(answer), kind);
  check({ re: 1, words: [], quiet: { on: false }, room: "#lab", level: "all" }, "words");
  check({ re: 1, words: [], quiet: { on: false } }, "words");
  check({ re: 1, room: "#lab", role: "member", members: 2 }, "room");
  check({ re: 1 }, undefined);
});

test("messages are kept for 0 days or for good, which is not the same", () => {
  const check = (value, key) => assert.equal(wordsFor({ ev: "retain", value }), key);
  check(0, "retain");
  check(30, "retain");
  check(undefined, "no retain");
  check(null, "no retain");
  assert.equal(wordsFor({ ev: "slow", value: 0 }), "no slow");
  assert.equal(wordsFor({ ev: "mute" }), "mute");
});
