// The account's jobs.
import { useState } from "preact/hooks";
import { useData } from "./api.js";
import { Countdown, Facts, html, Id, State, Table, Waiting } from "./parts.js";

const SHOWN = 100;

export function Jobs({ me }) {
  const { data, error } = useData("/api/jobs", { events: ["job"] });
  const [which, setWhich] = useState("open");
  const [sought, setSought] = useState("");
  const [shown, setShown] = useState(SHOWN);
  if (data === undefined) return html`<${Waiting} of="your jobs" error=${error} />`;
  const text = sought.toLowerCase();
  const found = data.jobs.filter(
    (job) =>
      (which === "all" || !job.final) &&
      `${job.name} ${job.jobId} ${job.state} ${job.role} ${job.provider}`.toLowerCase().includes(text),
  );
  const federated = data.federated.filter(({ state }) => which === "all" || state !== "Ended");
  const open = data.jobs.filter(({ final }) => !final).length;
  return html`<section>
    <h1>Jobs</h1>
    <${Facts}
      rows=${[
        ["Address", html`<code>${me?.account}</code>`],
        ["Locked in jobs", data.totals.locked],
        ["Owed by the escrow", me?.owed ?? "…"],
        ["Paid so far", data.totals.paid],
      ]}
    />
    <form class="bar" onSubmit=${(event) => event.preventDefault()}>
      <fieldset>
        <legend>Which</legend>
        ${[
          ["open", `Under way (${open})`],
          ["all", `All (${data.jobs.length})`],
        ].map(
          ([value, label]) =>
            html`<label>
              <input
                type="radio"
                name="which"
                checked=${which === value}
                onChange=${() => setWhich(value)}
              />
              ${label}
            </label>`,
        )}
      </fieldset>
      <label>
        Search
        <input type="search" value=${sought} onInput=${(event) => setSought(event.target.value)} />
      </label>
      <a class="button primary" href="#/submit">New job</a>
    </form>
    ${
      found.length + federated.length === 0
        ? html`<p class="empty">
            ${
              data.jobs.length === 0
                ? "No jobs yet. A new job starts with a folder that has a job.yaml."
                : "No job is like that."
            }
          </p>`
        : html`<${Table} label="Jobs" head=${["Job", "Name", "Role", "State", "Price", "Your money", "Due"]}>
            ${federated.map((job) => html`<${FederatedRow} key=${job.jobId} ...${job} />`)}
            ${found.slice(0, shown).map((job) => html`<${JobRow} key=${job.jobId} ...${job} />`)}
          <//>`
    }
    ${
      found.length > shown &&
      html`<button type="button" onClick=${() => setShown(shown + SHOWN)}>
        Show more (${found.length - shown} left)
      </button>`
    }
  </section>`;
}

function JobRow({ jobId, name, role, state, price, money, deadline, final }) {
  return html`<tr>
    <th scope="row"><a href=${`#/job/${jobId}`}><${Id} of=${jobId} /></a></th>
    <td class="name">${name}</td>
    <td>${role}</td>
    <td><${State} of=${state} /></td>
    <td class="number">${price}</td>
    <td>${money}</td>
    <td>${final ? "–" : html`<${Countdown} to=${deadline} />`}</td>
  </tr>`;
}

function FederatedRow({ jobId, role, state, deadline, rounds }) {
  return html`<tr>
    <th scope="row"><a href=${`#/job/${jobId}`}><${Id} of=${jobId} /></a></th>
    <td></td>
    <td>${role ?? "invited"}</td>
    <td><${State} of=${state} /></td>
    <td class="number">federated</td>
    <td>${rounds.closed} of ${rounds.of} rounds closed</td>
    <td>${state === "Ended" ? "–" : html`<${Countdown} to=${deadline} />`}</td>
  </tr>`;
}
