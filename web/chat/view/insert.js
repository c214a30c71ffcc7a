/**
 * The composer, for those who put words into it from elsewhere.
 */

export const composer = () => document.querySelector("#composer");

/** Puts words where the caret is. */
export function insert(words) {
  const field = composer();
  if (!field) return;
  field.focus();
  field.setRangeText(words, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

export const focusComposer = () => composer()?.focus({ preventScroll: true });
