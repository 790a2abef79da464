// A federated job: its rounds by providers, and how good its model became.
import { useState } from "preact/hooks";
import { post } from "./api.js";
import { Chart } from "./chart.js";
import { Act, Countdown, Facts, html, Id, Lines, Steps, Table } from "./parts.js";

const COIN = 1e18;

export function Federated({ job, reports, withKeys, reload }) {
  const { jobId, role, price, deadline, final, rounds, providers } = job;
  const [copied, setCopied] = useState("");
  const copy = () =>
    withKeys(async () => {
      setCopied((await post(`/api/jobs/${jobId}/get`)).text);
    });
  const stop = () =>
    withKeys(async () => {
      await post(`/api/jobs/${jobId}/stop`);
      await reload();
    });
  return html`
    <${Facts}
      rows=${[
        ["Your part", role ?? "onlooker"],
        ["Price", price],
        ["Rounds", `${job.closed} of ${job.of} closed`],
        ["Due", final ? "nothing any more" : html`<${Countdown} to=${deadline} />`],
      ]}
    />
    <div class="bar">
      ${role === "requester" && final && rounds.length > 0 && html`<${Act} label="Copy model and ledger" kind="primary" run=${copy} />`}
      ${role === "requester" && !final && !job.stopping && html`<${Act} label="End it with this round" kind="danger" run=${stop} />`}
    </div>
    ${copied && html`<p class="card" role="status">${copied}</p>`}
    <div class="columns">
      <section class="card"><h2>Where it stands</h2><${Lines} text=${job.why} /></section>
      <section class="card"><h2>Progress</h2><${Steps} reports=${reports} /></section>
    </div>
    <${Curve} rounds=${rounds} />
    <${Rounds} rounds=${rounds} providers=${providers} />
    <details class="card"><summary>Terms</summary><${Facts} rows=${job.rows} /></details>
  `;
}

function Curve({ rounds }) {
  const measured = rounds.filter(({ before }) => before !== undefined);
  if (measured.length < 2) return null;
  return html`<section class="card">
    <h2>Accuracy</h2>
    <${Chart}
      title="Accuracy of the model as each round began"
      xLabel="round"
      x=${measured.map(({ round }) => round)}
      series=${[{ label: "accuracy", values: measured.map(({ before }) => before.acc) }]}
    />
  </section>`;
}

function Rounds({ rounds, providers }) {
  const heading = html`<h2>Rounds and providers</h2>`;
  if (rounds.length === 0)
    return html`<section class="card">
      ${heading}
      <${Table} label="Providers" head=${["Provider", "Stands", "Claimed"]}>
        ${providers.map(
          ({ account, standing, claimed }) =>
            html`<tr>
              <th scope="row"><${Id} of=${account} /></th>
              <td>${standing}</td>
              <td class="number">${Number(claimed) / COIN} coin</td>
            </tr>`,
        )}
      <//>
      <p class="quiet">What each was worth in a round is told in the home that leads the job.</p>
    </section>`;
  const accounts = [...new Set(rounds.flatMap((one) => one.providers.map(({ account }) => account)))];
  const cell = (round, account) => {
    const one = round.providers.find((each) => each.account === account);
    if (one === undefined) return "–";
    if (!one.sent) return "nothing came";
    const pay = (Number(one.pay.amount) / COIN).toPrecision(3);
    return one.weight > 0
      ? `${one.accuracy.toFixed(3)}, ${pay} coin`
      : `${one.accuracy.toFixed(3)}, left out`;
  };
  return html`<section class="card">
    ${heading}
    <p>Each cell has the accuracy of the provider's own update, and its pay.</p>
    <${Table} label="Rounds and providers" head=${["Round", ...accounts.map((one) => html`<${Id} of=${one} />`)]}>
      ${rounds.map(
        (round) =>
          html`<tr>
            <th scope="row">${round.round}</th>
            ${accounts.map((account) => html`<td class="number">${cell(round, account)}</td>`)}
          </tr>`,
      )}
    <//>
  </section>`;
}
