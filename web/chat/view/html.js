/**
 * How views are written: `html` makes elements of a template. What is put into it is text or an attribute's
 * value, never markup.
 */

import htm from "../vendor/htm.js";
import { Component, h } from "../vendor/preact.js";

export const html = htm.bind(h);

/**
 * A view that is drawn again only if what it is given is another.
 *
 * @param {Function} View
 * @param {(props: object) => any[]} [parts] what of it counts; all of it without
 */
export function memo(View, parts = Object.values) {
  return class extends Component {
    shouldComponentUpdate(next) {
      const [now, before] = [parts(next), parts(this.props)];
      return now.length !== before.length || now.some((part, at) => part !== before[at]);
    }

    render(props) {
      return html`<${View} ...${props} />`;
    }
  };
}
