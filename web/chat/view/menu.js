/**
 * Menus, and the small board of signs: over everything, ended by Esc or a click elsewhere, moved in by arrows.
 */

import { useEffect, useLayoutEffect, useRef } from "../vendor/hooks.js";
import { menu } from "../client/shown.js";
import { t } from "../client/tongue.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";

const MARGIN = 8;

/** Opens a menu by what was clicked. Items are `{ text, icon, act, isBad, isOn }`, or `null` for a line between. */
export function openMenu(event, what) {
  event.preventDefault();
  event.stopPropagation();
  openMenuAt(event.currentTarget, what);
}

/** Opens a menu beside an element, which has the keyboard again when it is closed. */
export function openMenuAt(from, { label, items, signs }) {
  menu.value = { label, items, signs, from, box: from.getBoundingClientRect() };
}

function closeMenu() {
  const { from } = menu.value ?? {};
  menu.value = null;
  if (from?.isConnected) from.focus();
}

export function Menu() {
  const its = menu.value;
  return its && html`<${Board} key=${its} its=${its} />`;
}

function Board({ its }) {
  const board = useRef();
  useLayoutEffect(() => {
    const { offsetWidth: width, offsetHeight: height } = board.current;
    const isBelow = its.box.bottom + height + MARGIN < innerHeight;
    const top = isBelow ? its.box.bottom + 4 : its.box.top - height - 4;
    const left = its.box.left + width + MARGIN < innerWidth ? its.box.left : its.box.right - width;
    board.current.style.top = `${Math.max(MARGIN, top)}px`;
    board.current.style.left = `${Math.max(MARGIN, Math.min(left, innerWidth - width - MARGIN))}px`;
    board.current.querySelector("button")?.focus({ preventScroll: true });
  }, [its]);
  useEffect(() => {
    const end = () => (menu.value = null);
    const elsewhere = (event) => board.current?.contains(event.target) || end();
    addEventListener("pointerdown", elsewhere);
    addEventListener("resize", end);
    return () => {
      removeEventListener("pointerdown", elsewhere);
      removeEventListener("resize", end);
    };
  }, []);
  const inside = its.signs
    ? html`<${Signs} signs=${its.signs} />`
    : its.items.map(
        (item) => html`<${Item} item=${item}
    />`,
      );
  return html`<div ref=${board} class=${`menu ${its.signs ? "signs" : ""}`} role="menu" aria-label=${its.label}
    onKeyDown=${move}>${inside}</div>`;
}

function Item({ item }) {
  if (item === null) return html`<hr />`;
  const { text, icon, act, isBad, isOn } = item;
  const role = isOn === undefined ? "menuitem" : "menuitemradio";
  return html`<button type="button" role=${role} aria-checked=${isOn} class=${isBad ? "bad" : ""} tabindex="-1"
    onClick=${() => done(act)}>
    ${icon && html`<${Icon} name=${icon} />`}<span>${text}</span>${isOn && html`<${Icon} name="check" />`}
  </button>`;
}

function done(act) {
  closeMenu();
  act();
}

const SIGNS = [
  "👍",
  "👎",
  "❤️",
  "🎉",
  "😄",
  "😂",
  "🙂",
  "😉",
  "😅",
  "😍",
  "🤔",
  "😮",
  "😢",
  "😭",
  "😡",
  "🙄",
  "👀",
  "👋",
  "🙏",
  "👏",
  "💪",
  "🤝",
  "🤷",
  "🤦",
  "✅",
  "❌",
  "❓",
  "❗",
  "⚠️",
  "💡",
  "🔥",
  "✨",
  "🚀",
  "🐛",
  "🔧",
  "🔒",
  "📌",
  "📎",
  "📝",
  "📅",
  "⏰",
  "☕",
  "🍕",
  "🥖",
  "🍀",
  "🌧️",
  "☀️",
  "🥳",
];

function Signs({ signs }) {
  return html`<div class="board">${SIGNS.map(
    (sign) => html`<button type="button" role="menuitem" tabindex="-1"
    onClick=${() => done(() => signs(sign))}>${sign}</button>`,
  )}</div>
    <p class="quiet">${t("signs hint")}</p>`;
}

const COLUMNS = 8;

function move(event) {
  const all = [...event.currentTarget.querySelectorAll("button")];
  const at = all.indexOf(document.activeElement);
  const row = menu.value?.signs ? COLUMNS : 1;
  const to = {
    ArrowDown: at + row,
    ArrowUp: at - row,
    ArrowRight: at + 1,
    ArrowLeft: at - 1,
    Home: 0,
    End: all.length - 1,
  }[event.key];
  if (event.key === "Escape" || event.key === "Tab") closeMenu();
  else if (to !== undefined) all[(to + all.length) % all.length]?.focus();
  else return;
  event.preventDefault();
  event.stopPropagation();
}
