/**
 * Where one writes: Enter says it, Shift-Enter begins a line, Up edits what was said last. What is not said yet is
 * kept, over reloads, too.
 */

import { useEffect, useLayoutEffect, useRef } from "../vendor/hooks.js";
import { signal } from "../vendor/signals.js";
import { spokenBy } from "../core/hook.js";
import { isTalk } from "../core/room.js";
import { mayKeep, readTyped } from "../core/typed.js";
import { ask, isUp, me, server, state } from "../client/hub.js";
import { keep, keyOf } from "../client/kept.js";
import { doTyped } from "../client/commands.js";
import { whoFirst } from "../client/dialogues.js";
import { edit } from "../client/sending.js";
import { passing, tell } from "../client/passing.js";
import { about, giveBack, room, setAbout, takenBack } from "../client/shown.js";
import { t } from "../client/tongue.js";
import { Choices, choices, choose, complete } from "./choices.js";
import { isAlone, isComposing } from "./composing.js";
import { Held } from "./held.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { insert } from "./insert.js";
import { openMenu } from "./menu.js";
import { Passing } from "./passing.js";
import { Name, Snippet } from "./text.js";

/** Who writes says so as often. */
const TYPING_MS = 4000;
const HEIGHT_SHARE = 0.4;

const draftKey = (name) => keyOf("draft", me.value, name);
const bytes = signal(0);

export function Composer() {
  const its = room.value;
  const what = about.value.get(its.name);
  const field = useField(its.name, what?.edit);
  const typing = useRef(null);
  typing.current ??= typist();
  const does = writing(its, { of: () => field.current, what, typing: typing.current });
  const isTooLong = bytes.value > limit();
  const first = what?.edit ? null : whoFirst(its);
  return html`<form class="composer" onSubmit=${(event) => event.preventDefault()}>
    <div class="above"><${Typing} its=${its} /><${Passing} at=${its.name} /></div>
    <${Held} its=${its} />
    ${what && html`<${About} room=${its.name} what=${what} />`}
    <div class=${`field ${first ? "waits" : ""}`}>
      <${SignButton} />
      <label class="sr" for="composer">${t("say in", its.name)}</label>
      <${Words} field=${field} its=${its} does=${does} isTooLong=${isTooLong} />
      <${SendButton} does=${does} isEdit=${Boolean(what?.edit)} isLate=${Boolean(first)} />
      <${Choices} field=${field} />
    </div>
    ${isTooLong && html`<p id="too-long" class="too-long" role="alert">${t("too long", bytes.value - limit())}</p>`}
  </form>`;
}

/** The field, with the draft of its room, or what is edited. */
function useField(name, edited) {
  const field = useRef();
  useLayoutEffect(() => {
    put(field.current, edited ? edited.body : (keep.get(draftKey(name)) ?? ""));
    choices.value = null;
  }, [name, edited?.seq]);
  const { room: whose, text } = takenBack.value ?? {};
  useLayoutEffect(() => {
    if (whose !== name) return;
    takenBack.value = null;
    field.current.value = [text, field.current.value].filter(Boolean).join("\n");
    field.current.dispatchEvent(new Event("input", { bubbles: true }));
    choices.value = null;
    field.current.focus();
  }, [name, whose, text]);
  useEffect(() => {
    if (matchMedia("(hover: hover)").matches) field.current.focus({ preventScroll: true });
  }, [name]);
  return field;
}

function Words({ field, its, does, isTooLong }) {
  const chosen = choices.value;
  return html`<textarea id="composer" ref=${field} rows="1" dir="auto" autocomplete="off" spellcheck=${true}
    enterkeyhint="send" placeholder=${placeholder(its)}
    aria-describedby=${isTooLong ? "too-long" : undefined} aria-haspopup="listbox" aria-autocomplete="list"
    aria-controls=${chosen ? "choices" : undefined} aria-activedescendant=${chosen ? `choice-${chosen.at}` : undefined}
    onInput=${does.input} onKeyDown=${does.key} onBlur=${does.blur} onClick=${() => (choices.value = null)}></textarea>`;
}

function placeholder(its) {
  if (!isTalk(its.name)) return t("say in", its.name);
  const first = whoFirst(its);
  return first ? t("turn of", first) : t("write to placeholder", its.name.slice(1));
}

const SignButton = () => html`<button type="button" class="quiet-button" aria-label=${t("insert a sign")}
  title=${t("insert a sign")} onClick=${(click) => openMenu(click, { label: t("insert a sign"), signs: insert })}>
  <${Icon} name="smile" /></button>`;

const SendButton = ({
  does,
  isEdit,
  isLate,
}) => html`<button type="button" class="send" aria-label=${t(isEdit ? "save" : "send")} aria-disabled=${isLate}
  title=${t(isEdit ? "save" : "send")} onClick=${does.send}><${Icon} name=${isEdit ? "check" : "send"} /></button>`;

/** Tells a room that one writes, or has stopped; no more often than is needed. */
function typist() {
  let since = 0;
  return (name, isOn) => {
    const now = Date.now();
    if (isOn ? now - since < TYPING_MS : since === 0) return;
    since = isOn ? now : 0;
    if (isUp.value) ask("TYPING", { room: name, on: isOn }).catch(() => {});
  };
}

/** What the field does in a room: `of` gives it, `what` is answered or edited. */
function writing(its, { of, what, typing }) {
  const { name } = its;
  const input = () => {
    const { value } = of();
    fit(of());
    complete(of(), its);
    if (!what?.edit) keep.set(draftKey(name), mayKeep(value) ? value : null);
    typing(name, value !== "" && !value.startsWith("/"));
  };
  const send = () => {
    const { value } = of();
    if (bytes.value > limit()) return;
    choices.value = null;
    if (what?.edit) saveEdit(name, what.edit, value);
    else if (!isTooEarly(its, value)) sayTyped(name, of, what?.reply);
    else return;
    typing(name, false);
  };
  const key = (event) => {
    if (isComposing(event) || (choices.value && choose(event, of()))) return;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) send();
    else if (event.key === "ArrowUp" && isAlone(event) && of().value === "" && !what?.edit) editLast(its);
    else if (event.key === "Escape" && what) setAbout(name, null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return { input, send, key, blur: () => typing(name, false) };
}

/** Whether somebody else is to speak first, who is told then: what was typed stays, to be said in its turn. */
function isTooEarly(its, value) {
  const said = readTyped(value)?.say;
  const first = said === undefined ? null : whoFirst(its, said);
  if (first) tell(t("first speaks", first));
  return first !== null;
}

/** Says it, or does it; what the hub refuses to do stands there again, to be typed otherwise. */
async function sayTyped(name, of, reply) {
  const { value } = of();
  if (!readTyped(value)) return;
  put(of(), "");
  keep.set(draftKey(name), null);
  if (reply) setAbout(name, null);
  passing.value = null;
  if (!(await doTyped(name, value, reply?.seq))) giveBack(name, value);
}

function put(field, value) {
  field.value = value;
  fit(field);
}

const limit = () => server.value?.limits?.body ?? Infinity;

/** As high as what is in it, to a point. */
function fit(field) {
  bytes.value = new TextEncoder().encode(field.value).length;
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight, innerHeight * HEIGHT_SHARE)}px`;
}

function saveEdit(name, event, value) {
  const body = value.trim();
  if (body && body !== event.body) edit(name, event.seq, body);
  setAbout(name, null);
}

function editLast(its) {
  const last = its.entries.findLast((one) => one.ev === "message" && one.from === me.value && one.body !== null);
  if (last) setAbout(its.name, { edit: last });
}

function About({ room: name, what }) {
  const { reply, edit: edited } = what;
  const { name: who, body } = spokenBy(reply ?? edited);
  return html`<div class="about">
    <${Icon} name=${reply ? "reply" : "edit"} />
    <span>${reply ? html`${t("answer to", "")} <${Name} name=${who} />` : t("you edit")} <${Snippet}
      body=${body} /></span>
    <button type="button" class="quiet-button" aria-label=${t("cancel")} title="Esc" onClick=${() => setAbout(name, null)}>
      <${Icon} name="close" /></button>
  </div>`;
}

function Typing({ its }) {
  const names = [...(state.value.typing.get(its.name)?.keys() ?? [])].filter((name) => name !== me.value);
  const shown = names.slice(0, 3).map((name, at) => html`${at > 0 ? ", " : ""}<${Name} name=${name} />`);
  return html`<p class="typing" role="status">${
    names.length > 0 &&
    html`<span class="dots" aria-hidden="true"><i></i><i>
    </i><i></i></span><span class="who-writes">${shown}</span><span>${t(names.length > 1 ? "write" : "writes")}</span>`
  }</p>`;
}
