/**
 * A sound for who is called: two short tones, off until somebody wants them on this device.
 */

import { signal } from "../vendor/signals.js";
import { keep } from "./kept.js";

export const isSounding = signal(keep.get("sound") === true);

export function sound(isOn) {
  keep.set("sound", isOn ? true : null);
  isSounding.value = isOn;
  if (isOn) ring();
}

const TONES = [660, 880];
const TONE_S = 0.12;
/** So often at most, however much is said. */
const REST_MS = 2000;

let context;
let last = -Infinity;

/** Rings, if that is wanted. */
export function ring() {
  const now = performance.now();
  if (!isSounding.value || now - last < REST_MS || !globalThis.AudioContext) return;
  last = now;
  context ??= new AudioContext();
  context.resume().catch(() => {}); // Browsers want a click in the page first.
  TONES.forEach((hertz, at) => tone(hertz, context.currentTime + at * TONE_S));
}

function tone(hertz, from) {
  const [source, volume] = [context.createOscillator(), context.createGain()];
  source.frequency.value = hertz;
  volume.gain.setValueAtTime(0.08, from);
  volume.gain.exponentialRampToValueAtTime(0.001, from + TONE_S * 1.5);
  source.connect(volume).connect(context.destination);
  source.start(from);
  source.stop(from + TONE_S * 1.5);
}
