/**
 * Light or dark: as the system has it, or as was chosen.
 */

import { signal } from "../vendor/signals.js";
import { keep } from "./kept.js";

export const LOOKS = ["auto", "light", "dark"];

export const look = signal(LOOKS.includes(keep.get("look")) ? keep.get("look") : "auto");

export function wear(chosen) {
  keep.set("look", chosen === "auto" ? null : chosen);
  look.value = chosen;
  if (chosen === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
}
