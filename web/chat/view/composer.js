/**
 * Where one writes: Enter says it, Shift-Enter begins a line, Up edits what was said last. What is not said yet is
 * kept, over reloads, too.
 */

import { useEffect, useLayoutEffect, useRef } from "../vendor/hooks.js";
import { signal } from "../vendor/signals.js";
import { isTalk } from "../core/room.js";
import { mayKeep, readTyped } from "../core/typed.js";
import { ask, isUp, me, server, state } from "../client/hub.js";
import { keep } from "../client/kept.js";
import { doTyped } from "../client/acting.js";
import { edit } from "../client/sending.js";
import { about, clearAsides, room, setAbout } from "../client/shown.js";
import { t } from "../client/tongue.js";
import { Choices, choices, choose, complete } from "./choices.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { insert } from "./insert.js";
import { openMenu } from "./menu.js";
import { Name, Snippet } from "./text.js";

/** Who writes says so as often. */
const TYPING_MS = 4000;
const HEIGHT_SHARE = 0.4;

const draftKey = (name) => `draft.${me.value}.${name}`;
const bytes = signal(0);

export function Composer() {
  const its = room.value;
  const field = useRef();
  const what = about.value.get(its.name);
  const edited = what?.edit;
  const since = useRef(0);

  useLayoutEffect(() => {
    field.current.value = edited ? edited.body : (keep.get(draftKey(its.name)) ?? "");
    fit(field.current);
    choices.value = null;
  }, [its.name, edited?.seq]);
  useEffect(() => {
    if (matchMedia("(hover: hover)").matches) field.current.focus({ preventScroll: true });
  }, [its.name]);

  const typing = (isOn) => {
    const now = Date.now();
    if (isOn ? now - since.current < TYPING_MS : since.current === 0) return;
    since.current = isOn ? now : 0;
    if (isUp.value) ask("TYPING", { room: its.name, on: isOn }).catch(() => {});
  };
  const onInput = () => {
    const { value } = field.current;
    fit(field.current);
    complete(field.current, its);
    if (!edited) keep.set(draftKey(its.name), mayKeep(value) ? value : null);
    typing(value !== "" && !value.startsWith("/"));
  };
  const send = async () => {
    const { value } = field.current;
    if (bytes.value > limit()) return;
    if (edited) return saveEdit(its.name, edited, value);
    if (!readTyped(value)) return;
    clear();
    typing(false);
    if (what?.reply) setAbout(its.name, null);
    clearAsides(its.name);
    if (!(await doTyped(its.name, value, what?.reply?.seq)) && field.current?.value === "") put(value);
  };
  const put = (value) => {
    field.current.value = value;
    fit(field.current);
  };
  const clear = () => {
    put("");
    keep.set(draftKey(its.name), null);
    choices.value = null;
  };
  const onKeyDown = (event) => {
    if (event.isComposing) return;
    if (choices.value && choose(event, field.current)) return;
    const isEnter = event.key === "Enter" && !event.shiftKey && !event.altKey;
    if (isEnter) send();
    else if (event.key === "ArrowUp" && field.current.value === "" && !edited) editLast(its);
    else if (event.key === "Escape" && what) setAbout(its.name, null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const isTooLong = bytes.value > limit();
  const isTwo = isTalk(its.name);
  return html`<form class="composer" onSubmit=${(event) => event.preventDefault()}>
    <${Typing} its=${its} />
    ${what && html`<${About} room=${its.name} what=${what} />`}
    <div class="field">
      <button type="button" class="quiet-button" aria-label=${t("insert a sign")} title=${t("insert a sign")}
        onClick=${(click) => openMenu(click, { label: t("insert a sign"), signs: insert })}><${Icon} name="smile" />
          </button>
      <label class="sr" for="composer">${t("say in", its.name)}</label>
      <textarea id="composer" ref=${field} rows="1" dir="auto" autocomplete="off" spellcheck=${true} enterkeyhint="send"
        placeholder=${t(isTwo ? "write to placeholder" : "say in", isTwo ? its.name.slice(1) : its.name)}
          aria-describedby=${isTooLong ? "too-long" : undefined}
        role="combobox" aria-expanded=${Boolean(choices.value)} aria-controls="choices" aria-autocomplete="list"
          aria-activedescendant=${choices.value ? `choice-${choices.value.at}` : undefined}
        onInput=${onInput} onKeyDown=${onKeyDown} onBlur=${() => typing(false)} onClick=${() => (choices.value = null)}>
          </textarea>
      <button type="button" class="send" aria-label=${t(edited ? "save" : "send")} title=${t(edited ? "save" : "send")}
        onClick=${send}><${Icon} name=${edited ? "check" : "send"} /></button>
      <${Choices} field=${field} />
    </div>
    ${isTooLong && html`<p id="too-long" class="too-long" role="alert">${t("too long", bytes.value - limit())}</p>`}
  </form>`;
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
  const event = reply ?? edited;
  return html`<div class="about">
    <${Icon} name=${reply ? "reply" : "edit"} />
    <span>${reply ? html`${t("answer to", "")} <${Name} name=${event.from} />` : t("you edit")} <${Snippet}
      body=${event.body} /></span>
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
    </i><i></i></span>${shown} ${t(names.length > 1 ? "write" : "writes")}`
  }</p>`;
}
