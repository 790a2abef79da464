// One data campaign: what it asks for, what became of every row and fix, and what can be done.
import { useState } from "preact/hooks";
import { post, useData } from "./api.js";
import { Chart } from "./chart.js";
import { AddRows, FixRow } from "./contribute.js";
import { Act, Countdown, Facts, Failed, html, Id, Lines, State, short, Table, Waiting } from "./parts.js";

export function Campaign({ id, withKeys }) {
  // Windows end without an event.
  const { data, error, reload } = useData(`/api/campaigns/${id}`, { events: ["campaign"], everyMs: 30_000 });
  const [said, setSaid] = useState("");
  if (data === undefined) return html`<${Waiting} of="the campaign" error=${error} />`;
  const { campaignId, name, state, roles, rows, about, closesAt, entries, fixes, accounts } = data;
  const act = (verb, body) => () =>
    withKeys(async () => {
      await done((await post(`/api/campaigns/${campaignId}/${verb}`, body)).text);
    });
  const done = async (text) => {
    setSaid(text);
    await reload();
  };
  return html`<section>
    <h1>Campaign ${name ? html`${name} ` : ""}<${Id} of=${campaignId} /> <${State} of=${state} /></h1>
    <${Failed} error=${error} />
    <${Facts}
      rows=${[
        ["Your part", roles.join(", ") || "onlooker"],
        ["Rows", `${rows.added} added, ${rows.left} left`],
        ["A row", `deposit ${data.deposit}, price ${data.price}`],
        ["A fix", `bond ${data.bond}, reward ${data.reward}`],
        ["It holds", data.held],
        ["Closes", state === "open" ? html`<${Countdown} to=${closesAt} />` : "it takes no more rows"],
      ]}
    />
    <div class="bar"><${Acts} due=${data.due} mine=${roles.includes("owner")} rows=${rows} act=${act} /></div>
    <p role="status">${said}</p>
    <div class="columns">
      <section class="card"><h2>Where it stands</h2><${Lines} text=${data.why} /></section>
      <section class="card">
        <h2>What a row is</h2>
        ${
          about === undefined
            ? html`<p>Its description is not what its terms have the hash of.</p>`
            : html`<${Lines} text=${about} />`
        }
      </section>
    </div>
    <div class="columns">
      ${state === "open" && rows.left > 0 && html`<${AddRows} id=${campaignId} withKeys=${withKeys} onDone=${done} />`}
      ${entries.count > 0 && html`<${FixRow} id=${campaignId} bond=${data.bond} withKeys=${withKeys} onDone=${done} />`}
    </div>
    <${Curves} history=${data.history} versions=${data.versions} />
    <${Fixes} fixes=${fixes} act=${act} />
    <${Entries} entries=${entries} />
    <${Accounts} accounts=${accounts} />
    <${Versions} versions=${data.versions} mine=${roles.includes("owner")} />
    <details class="card"><summary>Terms</summary><${Facts} rows=${data.terms} /></details>
  </section>`;
}

function Acts({ due, mine, rows, act }) {
  return html`
    ${due.refund > 0 && html`<${Act} label=${`Credit the rows of ${due.refund} ${due.refund === 1 ? "entry" : "entries"}`} run=${act("refund")} />`}
    ${due.take > 0 && html`<${Act} label=${`Move on ${due.take} ${due.take === 1 ? "fix" : "fixes"}`} run=${act("take")} />`}
    ${rows.added > 0 && html`<${Act} label="Write the rows into a folder" run=${act("rows")} />`}
    ${due.close && html`<${Act} label=${mine ? "Close it, and take back what is left" : "Close it"} kind="danger" run=${act("close")} />`}
  `;
}

function Curves({ history, versions }) {
  const { at, rows, balances, symbol } = history;
  const scored = versions.filter(({ version, score }) => version !== undefined && score !== undefined);
  if (at.length < 2 && scored.length < 2) return null;
  return html`<div class="columns">
    ${
      at.length >= 2 &&
      html`<section class="card">
          <h2>Rows</h2>
          <${Chart} title="Rows added" x=${at} series=${[{ label: "rows", values: rows }]} isTime=${true} isStepped=${true} />
        </section>
        <section class="card">
          <h2>Balances</h2>
          <${Chart}
            title=${`Credits less payments, ${symbol}`}
            x=${at}
            series=${balances.map(({ account, values }) => ({ label: short(account), values }))}
            isTime=${true}
            isStepped=${true}
          />
        </section>`
    }
    ${
      scored.length >= 2 &&
      html`<section class="card">
        <h2>Accuracy</h2>
        <${Chart}
          title="Score of each version on the hidden test set"
          xLabel="version"
          x=${scored.map(({ version }) => version)}
          series=${[{ label: "score", values: scored.map(({ score }) => Number(score)) }]}
        />
      </section>`
    }
  </div>`;
}

/** Says what is left out, and where it is. */
const Rest = ({ of: { count, shown } }) =>
  count > shown.length &&
  html`<p class="quiet">${count - shown.length} more; <code>ichain data show</code> has all.</p>`;

function Fixes({ fixes, act }) {
  if (fixes.count === 0) return null;
  const verdict = (place, word) => act("judge", { place, verdict: word });
  return html`<section class="card">
    <h2>Fixes</h2>
    <p>A place is the entry, the row and the fix of it, from 0.</p>
    <${Table} label="Fixes" head=${["Place", "By", "State", "The row", "In its place", "What becomes of it", "Due", "Judge"]}>
      ${fixes.shown.map(
        ({ place, fixer, state, deadline, fate, judges, ...fix }) =>
          html`<tr key=${place}>
            <th scope="row">${place}</th>
            <td><${Id} of=${fixer} /></td>
            <td><${State} of=${state} /></td>
            <td class="text">${fix.original ?? "–"}</td>
            <td class="text">${becomes(fix)}</td>
            <td class="text">${fate}</td>
            <td>${state === "Taken" ? "–" : html`<${Countdown} to=${deadline} />`}</td>
            <td>
              ${
                judges &&
                html`<${Act} label=${`${place} is right`} run=${verdict(place, "right")} />
                  ${" "}<${Act} label=${`${place} is wrong`} run=${verdict(place, "wrong")} />`
              }
            </td>
          </tr>`,
      )}
    <//>
    <${Rest} of=${fixes} />
    ${
      fixes.shown.some(({ judges, absent, original }) => judges && !absent && original === undefined) &&
      html`<p class="quiet">A row is shown here once “Write the rows into a folder” has fetched it.</p>`
    }
  </section>`;
}

function becomes({ corrected, absent, removes }) {
  if (absent) return "it says that there is no such row";
  if (removes) return "nothing: it goes";
  return corrected ?? "a text that is not what was committed to";
}

function Entries({ entries }) {
  if (entries.count === 0) return html`<p class="empty">Nobody has added a row yet.</p>`;
  return html`<section class="card">
    <h2>Entries</h2>
    <${Table} label="Entries" head=${["Entry", "By", "Rows", "Deposit a row", "What becomes of it", "Fixes end"]}>
      ${entries.shown.map(
        ({ entry, author, rows, deposit, fate, fixableUntil, refunded }) =>
          html`<tr key=${entry}>
            <th scope="row">${entry}</th>
            <td><${Id} of=${author} /></td>
            <td class="number">${rows}</td>
            <td class="number">${deposit}</td>
            <td class="text">${fate}</td>
            <td>${refunded ? "–" : html`<${Countdown} to=${fixableUntil} />`}</td>
          </tr>`,
      )}
    <//>
    <${Rest} of=${entries} />
  </section>`;
}

function Accounts({ accounts }) {
  return html`<section class="card">
    <h2>Accounts</h2>
    <p>What the campaign holds is credited to no account yet. What was credited is paid out under <a href="#/work">Work</a>.</p>
    <${Table} label="Accounts" head=${["Account", "Paid in", "Credited", "Balance"]}>
      ${accounts.shown.map(
        ({ account, own, paid, credited, balance }) =>
          html`<tr key=${account}>
            <th scope="row"><${Id} of=${account} />${own && html` <span class="tag">yours</span>`}</th>
            <td class="number">${paid}</td>
            <td class="number">${credited}</td>
            <td class="number">${balance}</td>
          </tr>`,
      )}
    <//>
    <${Rest} of=${accounts} />
  </section>`;
}

function Versions({ versions, mine }) {
  if (versions.length === 0)
    return (
      mine &&
      html`<p class="quiet">No model was trained yet: <code>ichain data train</code> posts a job for one.</p>`
    );
  return html`<section class="card">
    <h2>Versions</h2>
    <${Table} label="Versions" head=${["Version", "Job", "State", "Score", "Rows", "Provider"]}>
      ${versions.map(
        ({ version, jobId, state, score, rows, provider }) =>
          html`<tr key=${jobId}>
            <th scope="row">${version ?? "–"}</th>
            <td><a href=${`#/job/${jobId}`}><${Id} of=${jobId} /></a></td>
            <td>${state === undefined ? "unknown" : html`<${State} of=${state} />`}</td>
            <td class="number">${score ?? "–"}</td>
            <td class="number">${rows}</td>
            <td>${provider === undefined ? "–" : html`<${Id} of=${provider} />`}</td>
          </tr>`,
      )}
    <//>
  </section>`;
}
