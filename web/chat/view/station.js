/**
 * A line of telegraph stations over hills: the picture at the entrance.
 */

import { html } from "./html.js";

/** A station at a place, so large, its arms so. */
function Tower({ x, y, size, arms, kind }) {
  const [bar, left, right] = arms;
  return html`<g class=${`tower ${kind}`} transform=${`translate(${x} ${y}) scale(${size})`}>
    <path class="house" d="M-9 0v-15h18V0Z" /><path class="mast" d="M0-15v-31" />
    <g transform=${`translate(0 -46) rotate(${bar})`}>
      <path class="beam" d="M-20 0h40" />
      <path class="beam thin" d="M-20 0h12" transform=${`rotate(${left} -20 0)`} />
      <path class="beam thin" d="M20 0h-12" transform=${`rotate(${right} 20 0)`} />
    </g>
    <circle class="lamp" cx="0" cy="-46" r="2.6" /><path class="window" d="M-3-10h6v5h-6Z" />
  </g>`;
}

export const Station = () => html`<svg viewBox="0 0 600 800" preserveAspectRatio="xMidYMax slice">
  <rect class="sky" width="600" height="800" />
  <circle class="sun" cx="428" cy="250" r="62" />
  <path class="far" d="M0 470c80-60 150-70 220-30s120 30 180-20 130-70 200-20v400H0Z" />
  <${Tower} x=${196} y=${432} size=${0.62} arms=${[0, 90, -90]} kind="t3" />
  <path class="mid" d="M0 590c90-80 180-60 250-20s160 60 220 0 90-60 130-50v280H0Z" />
  <${Tower} x=${420} y=${574} size=${1.15} arms=${[45, 135, 45]} kind="t2" />
  <path class="near" d="M0 700c110-90 220-70 320-10s190 40 280-20v130H0Z" />
  <${Tower} x=${168} y=${640} size=${2.4} arms=${[-45, -90, 135]} kind="t1" />
</svg>`;
