/**
 * One message: who said it and when, what it answers, the signs on it, and what can be done about it.
 */

import { useEffect } from "../vendor/hooks.js";
import { mayModerate, signsOn } from "../core/room.js";
import { spokenBy } from "../core/hook.js";
import { firstLine, hasWord } from "../core/text.js";
import { goTo, quote, quotes } from "../client/reading.js";
import { react, redact, takeBack, tryAgain } from "../client/sending.js";
import { isUp, me } from "../client/hub.js";
import { keywords } from "../client/noticing.js";
import { tell } from "../client/passing.js";
import { dialogue, room as shownRoom, setAbout } from "../client/shown.js";
import { t, timeOf, wholeTimeOf } from "../client/tongue.js";
import { html, memo } from "./html.js";
import { Figure, Icon } from "./icons.js";
import { focusComposer } from "./insert.js";
import { openMenuAt } from "./menu.js";
import { showPerson } from "./person.js";
import { Name, Snippet, Text } from "./text.js";

const QUICK = ["👍", "❤️", "😄", "🎉"];

/** A message of the log. `answered` is what it answers, if that is known. */
export const Message = memo(({ event, isFirst, isFocused, isActive, signs, answered }) => {
  const { seq, from, kind, mention, edited } = event;
  const { body, owner } = spokenBy(event);
  const isMine = from === me.value;
  const classes = [
    "message",
    kind,
    owner && "by-hook",
    isFirst && "first",
    (mention || (!isMine && kind !== "notice" && body && hasWord(body, keywords.value))) && "for-me",
    isMine && "own",
    isFocused && "focused",
    body === null && "gone",
  ];
  return html`<article class=${classes.filter(Boolean).join(" ")} data-seq=${seq} tabindex=${isActive ? 0 : -1}
    aria-label=${said(event)}>
    ${
      isFirst
        ? html`<${Head} event=${event} />`
        : html`<time class="at" datetime=${event.ts}
      title=${placeOf(event)}>${timeOf(event.ts)}</time>`
    }
    ${event.reply !== undefined && html`<${Answered} room=${event.room} seq=${event.reply} event=${answered} />`}
    <div class="said">
      ${kind === "action" && html`<span class="actor"><${Name} name=${from} /> </span>`}
      ${
        body === null
          ? html`<p
        class="text taken-out">${t("taken out")}${event.reason ? html`: <bdi>${event.reason}</bdi>` : ""}</p>`
          : html`<${Text} body=${body} />`
      }
      ${edited && body !== null && html`<span class="edited">${t("edited")}</span>`}
    </div>
    <${Signs} event=${event} signs=${signs} />
    ${isActive && body !== null && html`<${Tools} event=${event} />`}
  </article>`;
});

/** A message in words, for who hears the page. */
function said(event) {
  const { name, body, owner } = spokenBy(event);
  const who = owner ? `${name}, ${t("hook of", owner)}` : name;
  return `${who}, ${timeOf(event.ts)}: ${body === null ? t("taken out") : firstLine(body, 200)}`;
}

/** When it was said, and the number under which commands know it. */
const placeOf = ({ ts, seq }) => (seq === undefined ? wholeTimeOf(ts) : `${wholeTimeOf(ts)} · ${t("number", seq)}`);

function Head({ event }) {
  const { from, ts, kind } = event;
  const { name, owner } = spokenBy(event);
  return html`<div class="head">
    <button type="button" class="face" tabindex="-1" aria-hidden="true" onClick=${(click) => showPerson(click, from)}>
      <${Figure} name=${name} /></button>
    <button type="button" class="author" tabindex="-1" onClick=${(click) => showPerson(click, from)}><${Name} name=${name}
      /></button>
    ${owner && html`<span class="tag"><bdi>${t("hook of", owner)}</bdi></span>`}
    ${kind === "notice" && !owner && html`<span class="tag">${t("notice")}</span>`}
    <time datetime=${ts} title=${placeOf(event)}>${timeOf(ts)}</time>
  </div>`;
}

function Answered({ room, seq, event }) {
  const known = event ?? quotes.value.get(`${room} ${seq}`);
  useEffect(() => {
    if (!event && isUp.value) quote(room, seq);
  }, [room, seq, Boolean(event), isUp.value]);
  const by = known && spokenBy(known);
  const words = known
    ? html`<${Name} name=${by.name} /> <${Snippet} body=${by.body ?? null}
    />`
    : t(known === null ? "not here any more" : "…");
  return html`<button type="button" class="answered" tabindex="-1"
    onClick=${() => goTo(room, seq)}><${Icon} name="reply" /><span class="sr">${t("answer to", "")} </span>
    <span class="snip">${words}</span></button>`;
}

function Signs({ event, signs }) {
  const all = signsOn(signs);
  if (all.length === 0 || event.body === null) return null;
  return html`<div class="signs-on">
    ${all.map(
      ({ emoji, who }) => html`<button type="button" key=${emoji} tabindex="-1"
      aria-pressed=${who.includes(me.value)} title=${who.join(", ")}
      aria-label=${t("sign by", `${emoji} ${who.length}`, who.join(", "))}
        onClick=${() => react(event.room, event.seq, emoji, !who.includes(me.value))}>
          <bdi>${emoji}</bdi> ${who.length}</button>`,
    )}
    <button type="button" class="add" tabindex="-1" aria-label=${t("add a sign")} title=${t("add a sign")}
      onClick=${(click) => pick(click, event)}><${Icon} name="smile" /></button>
  </div>`;
}

const pick = (click, event) => openSigns(event, click.currentTarget);

function Tools({ event }) {
  return html`<div class="tools" role="toolbar" aria-label=${t("about this message")}>
    ${QUICK.map(
      (sign) => html`<button type="button" key=${sign} class="quick" aria-label=${t("answer with", sign)}
      onClick=${() => react(event.room, event.seq, sign, true)}>${sign}</button>`,
    )}
    <button type="button" aria-label=${t("add a sign")} title=${t("add a sign")} onClick=${(click) => pick(click, event)}>
      <${Icon} name="smile" /></button>
    <button type="button" aria-label=${t("reply")} title=${t("reply")} onClick=${() => reply(event)}><${Icon} name="reply"
      /></button>
    <button type="button" aria-label=${t("more")} title=${t("more")}
      onClick=${(click) => openActions(event, click.currentTarget)}><${Icon} name="more"
        /></button>
  </div>`;
}

export function reply(event) {
  setAbout(event.room, { reply: event });
  focusComposer();
}

export function change(event) {
  setAbout(event.room, { edit: event });
  focusComposer();
}

/** Opens what can be done about a message beside `element`. */
export const openActions = (event, element) =>
  openMenuAt(element, { label: t("about this message"), items: actions(event) });

/** Opens the board of signs beside `element`. */
export const openSigns = (event, element) =>
  openMenuAt(element, { label: t("add a sign"), signs: (sign) => react(event.room, event.seq, sign, true) });

function actions(event) {
  const isMine = event.from === me.value;
  const items = [
    { text: t("reply"), icon: "reply", act: () => reply(event) },
    {
      text: t("copy text"),
      icon: "copy",
      act: () => navigator.clipboard?.writeText(spokenBy(event).body).then(() => tell(t("copied"))),
    },
  ];
  if (isMine) items.push({ text: t("edit"), icon: "edit", act: () => change(event) });
  if (isMine || mayModerate(shownRoom.value ?? {})) {
    items.push(null, {
      text: t("delete…"),
      icon: "bin",
      isBad: true,
      act: () => (dialogue.value = { is: "taking out", event, act: () => redact(event.room, event.seq) }),
    });
  }
  return items;
}

/** What is refused for these will be refused again. */
const HOPELESS = new Set(["TOO_LONG", "BAD_FIELD", "CID_REUSED", "NO_SUCH_EVENT"]);

/** A message that the hub has not acknowledged: on its way, waiting for the line, or refused. */
export const Unsent = memo(({ one }) => {
  const { state: how, error, code, fields, cid, room } = one;
  const isBad = how === "failed";
  const words = isBad ? error : how === "pausing" ? t("soon again", error) : t(isUp.value ? "sending" : "waits for the hub");
  return html`<article class=${`message own unsent first ${fields.kind} ${isBad ? "failed" : ""}`} data-cid=${cid}>
    <${Head} event=${{ from: me.value, ts: one.ts, kind: fields.kind }} />
    ${fields.reply !== undefined && html`<${Answered} room=${room} seq=${fields.reply} />`}
    <div class="said">${fields.kind === "action" && html`<span class="actor"><${Name} name=${me.value} /> </span>`}<${Text}
      body=${fields.body} /></div>
    <p class="fate" role=${isBad ? "alert" : undefined}><bdi>${words}</bdi>
      ${
        isBad &&
        !HOPELESS.has(code) &&
        html` <button type="button" class="link" onClick=${() => tryAgain(one)}>${t("try again")}</button>`
      }
      ${isBad && html` <button type="button" class="link" onClick=${() => takeBack(one)}>${t("take back")}</button>`}
    </p>
  </article>`;
});
