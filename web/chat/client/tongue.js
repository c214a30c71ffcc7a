/**
 * The language of the page: that of the browser, or the one that was chosen.
 */

import { effect, signal } from "../vendor/signals.js";
import { WORDS } from "../words.js";
import { now } from "./clock.js";
import { keep } from "./kept.js";

export const LANGS = ["en", "fr"];

const usual = (navigator.languages ?? []).map((one) => one.slice(0, 2)).find((one) => LANGS.includes(one)) ?? "en";

export const lang = signal(LANGS.includes(keep.get("lang")) ? keep.get("lang") : usual);

effect(() => {
  document.documentElement.lang = lang.value;
});

export function speak(chosen) {
  keep.set("lang", chosen);
  lang.value = chosen;
}

/** The words called `key`, with what is given in the places of `{0}`, `{1}` and so on. */
export function t(key, ...given) {
  const text = WORDS[key]?.[LANGS.indexOf(lang.value)] ?? key;
  return text.replace(/\{(\d)\}/g, (_, place) => given[place] ?? "");
}

/** The words for so many: `key.one` or `key.many`. French has none and one alike. */
export function count(key, many) {
  const isOne = lang.value === "fr" ? many < 2 : many === 1;
  return t(`${key}.${isOne ? "one" : "many"}`, many.toLocaleString(lang.value));
}

const formats = new Map();

function format(options) {
  const key = lang.value + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(lang.value === "en" ? "en-GB" : lang.value, options));
  return formats.get(key);
}

export const timeOf = (ts) => format({ hour: "2-digit", minute: "2-digit" }).format(new Date(ts));

export const wholeTimeOf = (ts) => format({ dateStyle: "full", timeStyle: "short" }).format(new Date(ts));

export const dateOf = (ts) => format({ dateStyle: "medium", timeStyle: "short" }).format(new Date(ts));

const MINUTE_END = "2026-11-22T12:00".length;
let dayLast = { minute: "", day: "" };

/** Which day it was, here. Cost: of what was said in the same minute as what was asked before, next to nothing. */
export function dayOf(ts) {
  const minute = ts.slice(0, MINUTE_END);
  if (minute !== dayLast.minute) dayLast = { minute, day: new Date(ts).toDateString() };
  return dayLast.day;
}

/** A day, as people say it. */
export function dayName(ts) {
  const [day, today] = [new Date(ts), new Date(now())];
  const ago = Math.round((today.setHours(0, 0, 0, 0) - new Date(day).setHours(0, 0, 0, 0)) / 86_400_000);
  if (ago === 0) return t("today");
  if (ago === 1) return t("yesterday");
  const year = day.getFullYear() === today.getFullYear() ? {} : { year: "numeric" };
  return format({ weekday: "long", day: "numeric", month: "long", ...year }).format(day);
}
