/**
 * What stands beside the log: who is in the room, or what a search found.
 */

import { useEffect } from "../vendor/hooks.js";
import { standsBeside } from "../core/room.js";
import { isUp } from "../client/hub.js";
import { presenceOf } from "../client/presence.js";
import { loadMembers } from "../client/reading.js";
import { beside, room } from "../client/shown.js";
import { count, t } from "../client/tongue.js";
import { html } from "./html.js";
import { Figure, Icon } from "./icons.js";
import { showPerson } from "./person.js";
import { Search } from "./search.js";
import { Name } from "./text.js";

export function Beside() {
  const its = beside.value;
  if (!standsBeside(its, room.value)) return null;
  const title = t(its.is);
  return html`<aside class="beside" aria-label=${title} onKeyDown=${(event) => event.key === "Escape" && close()}>
    <header><h2>${title}</h2><button type="button" class="quiet-button" aria-label=${t("close")} title="Esc"
      onClick=${close}><${Icon} name="close" /></button></header>
    ${its.is === "members" ? html`<${Members} its=${room.value} />` : html`<${Search} its=${its} />`}
  </aside>`;
}

function close() {
  beside.value = null;
  document.querySelector("#composer")?.focus();
}

const RANKS = ["owner", "moderator", "member"];

function Members({ its }) {
  useEffect(() => {
    loadMembers(its.name);
  }, [its.name]);
  const all = [...(its.people?.values() ?? [])].map((one) => ({ ...one, how: howOf(one) }));
  const order = (a, b) => RANKS.indexOf(a.role) - RANKS.indexOf(b.role) || a.user.localeCompare(b.user);
  const here = all.filter((one) => one.how !== "offline").sort(order);
  const gone = all.filter((one) => one.how === "offline").sort(order);
  return html`<div class="members">
    <${Those} title=${count(isUp.value ? "here" : "members", here.length)} all=${here} />
    ${gone.length > 0 && html`<${Those} title=${count("not here", gone.length)} all=${gone} />`}
  </div>`;
}

function howOf({ user, online }) {
  return presenceOf(user).how ?? (online ? "online" : "offline");
}

function Those({ title, all }) {
  return html`<section aria-label=${title}><h3>${title}</h3><ul>${all.map(
    (one) => html`<li key=${one.user}>
    <button type="button" class=${`row ${one.how}`} onClick=${(event) => showPerson(event, one.user)}>
      <${Figure} name=${one.user} how=${one.how} />
      <span class="row-name"><${Name} name=${one.user} />${
        presenceOf(one.user).text &&
        html`<bdi
        class="quiet">${presenceOf(one.user).text}</bdi>`
      }</span>
      ${one.role !== "member" && html`<span class="tag">${t(`role ${one.role}`)}</span>`}
    </button></li>`,
  )}</ul></section>`;
}
