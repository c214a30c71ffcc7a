/**
 * Keeps a box that scrolls where its reader is: at the end, or at the line they were reading.
 */

/**
 * @param {HTMLElement} box
 * @param {number} endPx so near the end counts as there
 */
export function holdStill(box, endPx) {
  let isAtEnd = true;
  let line = null;
  let offset = 0;
  let height = box.clientHeight;

  /** Remembers where the reader is: after they scrolled. */
  const note = () => {
    // Who scrolls a box does not change its height: where it became another, that is looked after first.
    if (isAtEnd && box.clientHeight !== height) return settle();
    isAtEnd = box.scrollHeight - box.clientHeight - box.scrollTop < endPx;
    const top = box.getBoundingClientRect().top;
    line = isAtEnd ? null : firstBelow(box, top);
    offset = line ? line.getBoundingClientRect().top - top : 0;
  };

  /** Puts the box where its reader was: after its contents changed. */
  const settle = () => {
    height = box.clientHeight;
    if (isAtEnd) box.scrollTop = box.scrollHeight;
    else if (line?.isConnected) {
      const moved = line.getBoundingClientRect().top - box.getBoundingClientRect().top - offset;
      if (Math.abs(moved) >= 1) box.scrollTop += moved;
    }
  };

  const sizes = new ResizeObserver(settle);
  sizes.observe(box);
  if (box.firstElementChild) sizes.observe(box.firstElementChild);
  settle();
  return {
    note,
    settle,
    toEnd() {
      isAtEnd = true;
      settle();
    },
    /** Has a line a third below the upper edge. */
    to(element) {
      const top = element.getBoundingClientRect().top - box.getBoundingClientRect().top;
      isAtEnd = false;
      box.scrollTop += top - box.clientHeight / 3;
      note();
    },
    end: () => sizes.disconnect(),
  };
}

/** The first line that ends below `top`. Of pieces that are not drawn nothing is measured. */
function firstBelow(box, top) {
  const piece = first(box.querySelectorAll(".piece"), top);
  return piece && (first(piece.querySelectorAll("[data-seq]"), top) ?? piece.nextElementSibling ?? piece);
}

/** Of elements that stand in order the first that ends below `top`. */
function first(all, top) {
  let [from, to] = [0, all.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (all[middle].getBoundingClientRect().bottom > top) to = middle;
    else from = middle + 1;
  }
  return all[from] ?? null;
}

/** Goes to the message that is entry `seq`, if it is here, and has it found by the keyboard. */
export function toSeq(box, still, seq) {
  const its = box.querySelector(`[data-seq="${Number(seq)}"]`);
  if (!its) return;
  its.focus({ preventScroll: true });
  still.to(its);
  // What was not drawn until now has its own height only then.
  requestAnimationFrame(() => its.isConnected && still.to(its));
}
