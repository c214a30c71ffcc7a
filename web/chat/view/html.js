/**
 * How views are written: `html` makes elements of a template. What is put into it is text or an attribute's
 * value, never markup.
 */

import htm from "../vendor/htm.js";
import { Component, h } from "../vendor/preact.js";

export const html = htm.bind(h);

/** A view that is drawn again only if what it is given is another. */
export function memo(View) {
  return class extends Component {
    shouldComponentUpdate(next) {
      const keys = new Set([...Object.keys(next), ...Object.keys(this.props)]);
      return [...keys].some((key) => next[key] !== this.props[key]);
    }

    render(props) {
      return html`<${View} ...${props} />`;
    }
  };
}
