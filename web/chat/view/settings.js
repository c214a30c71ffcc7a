/**
 * What is this person's own: being away, how the page looks and speaks, calls, the password, devices.
 */

import { useEffect } from "../vendor/hooks.js";
import { signal } from "../vendor/signals.js";
import { ask, away, logOut, me, on, server, state } from "../client/hub.js";
import { exportAll, exported, stopExporting } from "../client/exporting.js";
import { setAway } from "../client/acting.js";
import { LOOKS, look, wear } from "../client/look.js";
import { notify, notifying } from "../client/calling.js";
import { isSounding, sound } from "../client/sound.js";
import { tell, trying } from "../client/passing.js";
import { dialogue } from "../client/shown.js";
import { count, dateOf, lang, speak, t } from "../client/tongue.js";
import { andClose, Field, Form, OneOf, Window } from "./dialogue.js";
import { html } from "./html.js";
import { Figure } from "./icons.js";

export function SettingsDialogue() {
  return html`<${Window} title=${t("settings")} kind="wide">
    <div class="who"><${Figure} name=${me.value} /><p><b><bdi>${me.value}</bdi></b><span
      class="quiet">${t("figure hint")}</span></p></div>
    <${Away} />
    <div class="two">
      <${OneOf} label=${t("look")} name="look" options=${LOOKS.map((one) => [one, t(`look ${one}`)])} chosen=${look.value}
        choose=${wear} />
      <${OneOf} label=${t("language")} name="lang" options=${[
        ["en", "English"],
        ["fr", "Français"],
      ]} chosen=${lang.value}
        choose=${change} />
    </div>
    <${Calls} />
    <${Password} />
    <${Devices} />
    <${Account} />
    <p class="quiet small-print">${server.value?.server}</p>
  <//>`;
}

/** The hub is to speak so, too. */
function change(chosen) {
  speak(chosen);
  ask("HELLO", { lang: chosen }).catch(() => {}); // Said anew with each line.
}

function Away() {
  const set = async ({ text }) => {
    await setAway(text.trim());
    tell(t(away.value ? "you are away" : "you are back"));
  };
  return html`<section><h3>${t("being away")}</h3><${Form} act=${set} button=${t(away.value ? "save" : "be away")}
    other=${away.value && html`<button type="button" onClick=${() => setAway("")}>${t("be back")}</button>`}>
    <${Field} label=${t("away words")} name="text" defaultValue=${away.value ?? ""} autocomplete="off"
      placeholder=${t("away example")} />
  <//></section>`;
}

function Calls() {
  const how = notifying.value;
  const isLoud = isSounding.value;
  const words = state.value.keywords.join(", ");
  return html`<section><h3>${t("calls")}</h3><p class="line-of">
    <span>${t(`calls ${how}`)}</span>
    ${
      how !== "denied" &&
      html`<button type="button" class="small"
      onClick=${() => notify(how !== "on")}>${t(how === "on" ? "call no more" : "call me")}</button>`
    }
  </p>
  <p class="line-of"><span>${t(isLoud ? "sound on" : "sound off")}</span><button type="button" class="small"
    onClick=${() => sound(!isLoud)}>${t(isLoud ? "be silent" : "ring")}</button></p>
  <p class="line-of"><span>${words ? html`${t("keywords")}: <bdi>${words}</bdi>` : t("no keywords")}</span><button
    type="button" class="small" onClick=${() => (dialogue.value = { is: "keywords" })}>${t("change…")}</button></p>
  </section>`;
}

function Password() {
  const set = async ({ old, fresh }) => {
    await ask("PASSWORD", { old, new: fresh });
    tell(t("password changed"));
    document.activeElement?.closest("form")?.reset();
  };
  return html`<section><details><summary><h3>${t("change password")}</h3></summary><${Form} act=${set}
    button=${t("change it")}>
    <input type="text" name="user" autocomplete="username" value=${me.value} hidden />
    <${Field} label=${t("password now")} name="old" type="password" required autocomplete="current-password" />
    <${Field} label=${t("password new")} name="fresh" type="password" required minlength="8" autocomplete="new-password"
      hint=${t("password hint")} />
  <//></details></section>`;
}

const devices = signal(null);
on("left", () => (devices.value = null));

const loadDevices = () =>
  trying(async () => {
    devices.value = (await ask("SESSIONS")).sessions;
  });

function Devices() {
  useEffect(() => {
    loadDevices();
  }, []);
  const revoke = async (session) => {
    await trying(() => ask("REVOKE", { session }));
    loadDevices();
  };
  const all = [...(devices.value ?? [])].sort((a, b) => b.this - a.this || (a.seen < b.seen ? 1 : -1));
  return html`<section><h3>${t("devices")}</h3>
    <ul class="devices">${all.map(
      (one) => html`<li key=${one.session}><span><b>
      <bdi>${one.device || t("some device")}</bdi></b><span
        class="quiet">${one.this ? t("this device") : t("seen", dateOf(one.seen))}</span></span>
      ${
        !one.this &&
        html`<button type="button" class="small"
        onClick=${() => revoke(one.session)}>${t("log it out")}</button>`
      }</li>`,
    )}</ul>
    <p class="buttons"><button type="button"
      onClick=${() => trying(andClose(() => logOut(true)))}>${t("log out everywhere")}</button><button type="button"
        class="bad" onClick=${() => trying(andClose(() => logOut(false)))}>${t("log out")}</button></p>
  </section>`;
}

/** All that the hub has of this person, to take along; and the end of it. */
function Account() {
  const many = exported.value;
  const isUnderWay = many !== null;
  return html`<section><h3>${t("your data")}</h3><p class="line-of">
    <span role="status">${isUnderWay ? count("lines read", many) : t("export hint")}</span>
    <button type="button" class="small" onClick=${isUnderWay ? stopExporting : () => trying(() => exportAll())}>${t(
      isUnderWay ? "stop" : "download",
    )}</button></p>
    <p class="quiet"><button type="button" class="link"
      onClick=${() => (dialogue.value = { is: "deleting" })}>${t("delete account…")}</button></p>
  </section>`;
}
