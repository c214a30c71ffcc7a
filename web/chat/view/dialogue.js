/**
 * Dialogues: one at a time, over the page, ended by Esc. And forms, which tell beside the field what was refused.
 */

import { useLayoutEffect, useRef } from "../vendor/hooks.js";
import { useSignal } from "../vendor/signals.js";
import { Refused } from "../core/connection.js";
import { dialogue } from "../client/shown.js";
import { t } from "../client/tongue.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { Passing } from "./passing.js";

export const close = () => (dialogue.value = null);

/** A window over the page. */
export function Window({ title, kind = "", children }) {
  const its = useRef();
  const own = useRef(dialogue.value);
  // The browser tells late that one was closed: another may be open by then.
  const closed = () => dialogue.value === own.current && close();
  useLayoutEffect(() => {
    const window = its.current;
    window.showModal();
    (window.querySelector("[autofocus]") ?? window).focus();
    // However it is left, the keyboard is where it was before.
    return () => window.close();
  }, []);
  const outside = (event) => event.target === its.current && close();
  return html`<dialog ref=${its} class=${`window ${kind}`} tabindex="-1" aria-label=${title} onClose=${closed}
    onMouseDown=${outside}>
    <div class="window-in">
      <header><h2>${title}</h2><button type="button" class="quiet-button" aria-label=${t("close")} title="Esc"
        onClick=${close}><${Icon} name="close" /></button></header>
      <${Passing} at="window" />
      ${children}
    </div>
  </dialog>`;
}

let number = 0;

/** A field with its name above it; what is wrong with it, below. */
export function Field({ label, hint, error, ...rest }) {
  const id = useRef(`field-${++number}`).current;
  return html`<p class="form-field">
    <label for=${id}>${label}</label>
    <input id=${id} aria-invalid=${Boolean(error)} aria-describedby=${error || hint ? `${id}-words` : undefined} ...${rest}
      />
    ${
      (error || hint) &&
      html`<span id=${`${id}-words`} class=${error ? "wrong" : "quiet"}
      role=${error ? "alert" : undefined}>${error || hint}</span>`
    }
  </p>`;
}

/**
 * A form. `act` is given its fields by name; what the hub refuses is told, and `children` may ask what is wrong
 * with a field.
 */
export function Form({ act, children, button, isBad, other }) {
  const wrong = useSignal(null);
  const isBusy = useSignal(false);
  const submit = async (event) => {
    event.preventDefault();
    if (isBusy.value) return;
    const fields = Object.fromEntries(new FormData(event.currentTarget));
    isBusy.value = true;
    wrong.value = null;
    try {
      await act(fields);
    } catch (error) {
      wrong.value = { text: error instanceof Refused ? error.message : t("not reachable"), field: error.field };
    }
    isBusy.value = false;
  };
  // What was refused is another thing once it is typed otherwise.
  return html`<form class="form" onSubmit=${submit} onInput=${() => (wrong.value = null)}>
    ${children}
    ${wrong.value && html`<p class="wrong" role="alert">${wrong.value.text}</p>`}
    <p class="buttons">${other}<button type="submit" class=${isBad ? "bad main" : "main"}
      aria-disabled=${isBusy.value}>${
        isBusy.value
          ? html`<span class="waiting" aria-hidden="true">
        </span>`
          : ""
      }${button}</button></p>
  </form>`;
}

/** Does what a form is for, and ends the dialogue. */
export const andClose = (act) => async (fields) => {
  await act(fields);
  close();
};

export const Cancel = () => html`<button type="button" onClick=${close}>${t("cancel")}</button>`;

/** One of a few, side by side. */
export function OneOf({ label, name, options, chosen, choose }) {
  return html`<fieldset class="one-of"><legend>${label}</legend><div>${options.map(
    ([value, text]) => html`<label
    key=${value}>
    <input type="radio" name=${name} value=${value} checked=${chosen === value} onChange=${() => choose?.(value)} />
      <span>${text}</span></label>`,
  )}</div></fieldset>`;
}
