/**
 * The entrance: logging in, or making an account.
 */

import { signal } from "../vendor/signals.js";
import { comeIn, on, sentOut, server, unheard } from "../client/hub.js";
import { look, LOOKS, wear } from "../client/look.js";
import { lang, speak, t } from "../client/tongue.js";
import { Field, Form } from "./dialogue.js";
import { html } from "./html.js";
import { Station } from "./station.js";

const isNew = signal(false);
// Who made an account has one.
on("left", () => (isNew.value = false));

export function Entrance() {
  const policy = server.value?.register ?? "open";
  const mayRegister = policy !== "closed";
  const cmd = isNew.value && mayRegister ? "REGISTER" : "LOGIN";
  const act = (fields) => comeIn(cmd, { ...fields, user: fields.user.trim() });
  return html`<main class="entrance">
    <section class="scene" aria-hidden="true"><${Station} /></section>
    <section class="door">
      <h1><span class="plate">relais</span></h1>
      <p class="lede">${t("lede")}</p>
      ${sentOut.value && html`<p class="wrong" role="status">${sentOut.value}</p>`}
      <div role="status">${unheard.value && html`<p class="told">${t(`logged out, ${unheard.value}`)}</p>`}</div>
      <${Form} key=${cmd} act=${act} button=${t(cmd === "LOGIN" ? "log in" : "make an account")}>
        <${Field} label=${t("name")} name="user" required maxlength="32" autofocus autocomplete="username"
          autocapitalize="none" spellcheck=${false} hint=${cmd === "REGISTER" ? t("name hint") : ""} />
        <${Field} label=${t("password")} name="password" type="password" required
          minlength=${cmd === "REGISTER" ? 8 : undefined}
            autocomplete=${cmd === "LOGIN" ? "current-password" : "new-password"}
              hint=${cmd === "REGISTER" ? t("password hint") : ""} />
        ${
          cmd === "REGISTER" &&
          policy === "invitation" &&
          html`<${Field} label=${t("invitation")} name="invitation"
          required autocomplete="off" hint=${t("invitation hint")} />`
        }
      <//>
      ${mayRegister && html`<${OtherWay} />`}
      <${Choices} />
    </section>
  </main>`;
}

const OtherWay = () => html`<p class="other-way">${t(isNew.value ? "have account" : "no account")} <button type="button"
  class="link" onClick=${() => (isNew.value = !isNew.value)}>${t(isNew.value ? "log in" : "make an account")}</button></p>`;

/** How the page is to speak and look. */
const Choices = () => html`<p class="small-choices">
  ${["en", "fr"].map(
    (one) => html`<button type="button" class="link" lang=${one} aria-pressed=${lang.value === one}
    onClick=${() => speak(one)}>${one === "en" ? "English" : "Français"}</button>`,
  )}
  <button type="button" class="link"
    onClick=${() => wear(LOOKS[(LOOKS.indexOf(look.value) + 1) % LOOKS.length])}>${t("look")}: ${t(`look ${look.value}`)}</button>
</p>`;
