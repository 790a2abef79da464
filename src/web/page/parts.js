// Parts that several views are made of. All text is text: nothing here makes markup of a string.
import htm from "htm";
import { createElement } from "preact";
import { useEffect, useState } from "preact/hooks";
import { chainNow } from "./api.js";

export const html = htm.bind(createElement);

export const short = (id = "") => id.replace(/^0x/, "").slice(0, 8);

const units = [
  [86_400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"],
];

/** `3 min 5 s`: the two largest units. */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const at = units.findIndex(([size]) => whole >= size);
  if (at < 0) return "0 s";
  const [size, name] = units[at];
  const next = units[at + 1];
  const rest = next ? Math.floor((whole % size) / next[0]) : 0;
  return `${Math.floor(whole / size)} ${name}${rest > 0 ? ` ${rest} ${next[1]}` : ""}`;
}

export function bytes(count) {
  const names = ["B", "KiB", "MiB", "GiB", "TiB"];
  let [value, at] = [count, 0];
  for (; value >= 1024 && at < names.length - 1; at++) value /= 1024;
  return `${value >= 100 || at === 0 ? Math.round(value) : value.toFixed(1)} ${names[at]}`;
}

/** Counts down to a deadline of the chain, once a second. */
export function Countdown({ to }) {
  const [, tick] = useState(0);
  useEffect(() => {
    if (to === undefined) return;
    const timer = setInterval(() => tick((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, [to]);
  if (to === undefined) return "–";
  const left = to - chainNow();
  const text = left >= 0 ? `in ${duration(left)}` : `${duration(-left)} ago`;
  const kind = left < 0 ? "late" : left < 300 ? "soon" : "";
  return html`<time class=${kind} dateTime=${new Date(to * 1000).toISOString()}>${text}</time>`;
}

const tones = {
  Settled: "good",
  Validated: "good",
  Rejected: "bad",
  Refunded: "bad",
  Cancelled: "quiet",
  Inconclusive: "bad",
  Ended: "quiet",
  Taken: "quiet",
  closed: "quiet",
};

export const State = ({ of: state }) =>
  html`<span class=${`state ${tones[state] ?? "busy"}`}>${state}</span>`;

/** An account or an id, short, with all of it for who asks. */
export const Id = ({ of: id = "" }) => html`<code class="id" title=${id}>${short(id)}</code>`;

export const Failed = ({ error }) =>
  error &&
  html`<div class="failed" role="alert">
    <strong>${error.message}</strong> ${error.hint} <code>${error.code}</code>
  </div>`;

export const Waiting = ({ of: what, error }) =>
  error ? html`<${Failed} error=${error} />` : html`<p class="wait" role="status">Reading ${what}…</p>`;

/** A table that scrolls by itself on a narrow screen, and by keyboard. */
export function Table({ label, head, children }) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${label}>
    <table>
      <thead>
        <tr>
          ${head.map((one) => html`<th scope="col">${one}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${children}
      </tbody>
    </table>
  </div>`;
}

/** A button that is busy until its act is over, and says what went wrong beside it. */
export function Act({ label, busy = "One moment…", run, kind = "", disabled = false }) {
  const [state, setState] = useState({});
  const press = async () => {
    setState({ busy: true });
    try {
      await run();
      setState({});
    } catch (error) {
      setState({ error });
    }
  };
  return html`<span class="act">
    <button type="button" class=${kind} disabled=${disabled || state.busy} onClick=${press}>
      ${state.busy ? busy : label}
    </button>
    <${Failed} error=${state.error} />
  </span>`;
}

const rate = (perSecond) => `${(perSecond / 1e6).toFixed(1)} MB/s`;

/** What is being done, with a bar for each transfer and a smaller one for each of its lanes. */
export function Steps({ reports }) {
  const lines = reports.filter(({ kind }) => kind !== "debug");
  if (lines.length === 0) return html`<p class="quiet">Nothing is reported of it here yet.</p>`;
  return html`<div class="steps" tabindex="0" role="region" aria-label="Progress">
    <ol>
      ${lines.map((line) => html`<${Step} ...${line} />`)}
    </ol>
  </div>`;
}

function Step({ kind, text, at, done, total, lanes = [] }) {
  const runs = kind === "start" || kind === "progress";
  const fastest = Math.max(1, ...lanes);
  return html`<li class=${kind}>
    <time dateTime=${new Date(at * 1000).toISOString()}>${new Date(at * 1000).toTimeString().slice(0, 8)}</time>
    <span>${text}</span>
    ${
      runs &&
      total > 0 &&
      html`<progress max=${total} value=${done} aria-label=${text}></progress>
        <span class="quiet">${bytes(done)} of ${bytes(total)}</span>`
    }
    ${
      runs &&
      lanes.length > 0 &&
      html`<ul class="lanes" aria-label="Lanes of the transfer">
        ${lanes.map(
          (one, at) =>
            html`<li>
              <meter max=${fastest} value=${one} aria-label=${`Lane ${at + 1}`}></meter> ${rate(one)}
            </li>`,
        )}
      </ul>`
    }
  </li>`;
}

/** `name value` pairs. */
export const Facts = ({ rows }) =>
  html`<dl class="facts">
    ${rows.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;

export const Lines = ({ text = "" }) =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => html`<p>${line}</p>`);
