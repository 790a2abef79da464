// The page: who is let in, where to go, and what holds for all views.
import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { enterWith, followEvents, on, post, Refusal, useData } from "./api.js";
import { Campaign } from "./campaign.js";
import { Campaigns } from "./campaigns.js";
import { Gossip } from "./gossip.js";
import { Help } from "./help.js";
import { Job } from "./job.js";
import { Jobs } from "./jobs.js";
import { Offers, Pools } from "./market.js";
import { Failed, html, Id, short } from "./parts.js";
import { Submit } from "./submit.js";
import { Work } from "./work.js";

const views = [
  ["jobs", "Jobs", Jobs],
  ["submit", "New job", Submit],
  ["offers", "Providers", Offers],
  ["pools", "Pools", Pools],
  ["campaigns", "Campaigns", Campaigns],
  ["gossip", "Gossip", Gossip],
  ["work", "Work", Work],
  ["help", "Help", Help],
];

/** What is shown of one thing. */
const ones = { job: ["Job", Job], campaign: ["Campaign", Campaign] };

/** `#/job/0x12…` → `["job", "0x12…"]`. */
function usePlace() {
  const read = () => location.hash.replace(/^#\/?/, "").split("/");
  const [place, setPlace] = useState(read());
  useEffect(() => {
    const move = () => setPlace(read());
    addEventListener("hashchange", move);
    return () => removeEventListener("hashchange", move);
  }, []);
  return place;
}

function Page() {
  const [name = "", id = ""] = usePlace();
  const one = Object.hasOwn(ones, name) ? ones[name] : undefined;
  const { data: me, error, reload } = useData("/api/me", { events: ["job"], everyMs: 30_000 });
  const [connected, setConnected] = useState(true);
  const [notice, setNotice] = useState();
  const [waiting, setWaiting] = useState();
  const main = useRef();
  useEffect(() => on("connected", setConnected), []);
  useEffect(() => on("notice", ({ text }) => setNotice(text)), []);
  const isFirst = useRef(true);
  useEffect(() => {
    const [, label] = views.find(([path]) => path === name) ?? [];
    document.title = `${label ?? (one ? `${one[0]} ${short(id)}` : "Jobs")} · ichain`;
    if (!isFirst.current) main.current?.focus();
    isFirst.current = false;
  }, [name, id]);

  /** Runs `act`, after asking for the wallet's password where that was not done yet. */
  const withKeys = (act) => {
    if (me?.unlocked) return act();
    return new Promise((resolve, reject) => {
      const done = async () => {
        setWaiting(undefined);
        void reload();
        await act().then(resolve, reject);
      };
      const leave = () => {
        setWaiting(undefined);
        reject(new Refusal({ code: "WEB_LOCKED", message: "It needs the wallet's password." }));
      };
      setWaiting({ done, leave });
    });
  };

  if (error && me === undefined)
    return html`<main class="alone"><h1>ichain</h1><${Failed} error=${error} /></main>`;
  const [, , View = Jobs] = views.find(([path]) => path === name) ?? [];
  const [, One] = one ?? [];
  return html`
    <a class="skip" href="#main" onClick=${(event) => {
      event.preventDefault();
      main.current?.focus();
    }}>To the content</a>
    <header>
      <a class="brand" href="#/jobs">ichain</a>
      <nav aria-label="Views">
        ${views.map(
          ([path, label]) =>
            html`<a href=${`#/${path}`} aria-current=${path === (name || "jobs") ? "page" : undefined}>${label}</a>`,
        )}
      </nav>
      ${me && html`<${Account} me=${me} unlock=${() => withKeys(async () => undefined).catch(() => undefined)} />`}
    </header>
    ${!connected && html`<p class="banner" role="status">The connection is lost; the page tries again.</p>`}
    ${notice && html`<p class="banner" role="status">${notice}</p>`}
    <main id="main" tabindex="-1" ref=${main}>
      ${One ? html`<${One} id=${id} withKeys=${withKeys} />` : html`<${View} me=${me} withKeys=${withKeys} />`}
    </main>
    ${waiting && html`<${Unlock} ...${waiting} />`}
  `;
}

function Account({ me, unlock }) {
  const { account, network, held, unlocked, serving } = me;
  return html`<div class="account">
    <span><${Id} of=${account} /> on ${network}</span>
    <span class="balance" title=${held}>${rounded(held)}</span>
    <span class="quiet">${serving ? "acts for your jobs" : unlocked ? "starting to act" : "reads only"}</span>
    ${!unlocked && html`<button type="button" onClick=${unlock}>Unlock</button>`}
  </div>`;
}

/** `9999.992165314533549081 coin` → `9999.9921 coin`. */
const rounded = (amount) => amount.replace(/(\.\d{4})\d+/, "$1");

function Unlock({ done, leave }) {
  const box = useRef();
  const [password, setPassword] = useState("");
  const [state, setState] = useState({});
  useEffect(() => box.current.showModal(), []);
  const submit = async (event) => {
    event.preventDefault();
    setState({ busy: true });
    try {
      await post("/api/unlock", { password });
    } catch (error) {
      return setState({ error });
    }
    await done().catch(() => undefined);
  };
  return html`<dialog ref=${box} onCancel=${leave} aria-labelledby="unlock">
    <form onSubmit=${submit}>
      <h2 id="unlock">Unlock the page</h2>
      <p>What signs or spends needs the wallet's password, once. The page then acts for your jobs until it is ended.</p>
      <label>
        Wallet password
        <input
          type="password"
          autocomplete="current-password"
          value=${password}
          onInput=${(event) => setPassword(event.target.value)}
          autofocus
          required
        />
      </label>
      <${Failed} error=${state.error} />
      <div class="bar">
        <button type="submit" class="primary" disabled=${state.busy}>${state.busy ? "Unlocking…" : "Unlock"}</button>
        <button type="button" onClick=${leave}>Not now</button>
      </div>
    </form>
  </dialog>`;
}

/** The link's token becomes a cookie, and is gone from the address. */
async function enter() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return;
  history.replaceState(null, "", "/#/jobs");
  await enterWith(token);
}

await enter();
await followEvents();
const root = document.querySelector("#page");
root.replaceChildren();
render(html`<${Page} />`, root);
