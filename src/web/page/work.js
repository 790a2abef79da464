// What a provider or validator looks at: earnings, runs, stake, policy, the machine.
import { useState } from "preact/hooks";
import { chainNow, get, post, useData } from "./api.js";
import { Chart } from "./chart.js";
import { Act, Countdown, duration, Facts, html, Id, State, Table, Waiting } from "./parts.js";

const amount = (text, { decimals }) => Number(text) / 10 ** decimals;

export function Work({ me, withKeys }) {
  const { data, error, reload } = useData("/api/work", { events: ["job"] });
  if (data === undefined) return html`<${Waiting} of="earnings and stake" error=${error} />`;
  const { earnings, stake, status, coin } = data;
  return html`<section>
    <h1>Work</h1>
    <${Facts}
      rows=${[
        [
          "Earned",
          earnings.data.paid
            .map(({ token, amount: sum }) => `${amount(sum, token)} ${token.symbol}`)
            .join(", ") || "nothing yet",
        ],
        ["Stake lost", `${amount(earnings.data.slashed, coin)} coin`],
        ["Gas", `${amount(earnings.data.gas, coin).toPrecision(3)} coin of jobs`],
        [
          "At stake",
          stake.data
            ? `${amount(stake.data.stake, coin)} coin, ${amount(stake.data.free, coin)} free`
            : stake.text,
        ],
      ]}
    />
    <${Money} stake=${stake.data} owed=${me?.owed} coin=${coin} withKeys=${withKeys} reload=${reload} />
    <${Earned} jobs=${earnings.data.jobs} />
    <${Daemons} daemons=${status.data.daemons} text=${status.text} />
    <${Policy} />
    <${Runs} jobs=${earnings.data.jobs} />
    <${Doctor} />
  </section>`;
}

/** What moves coin: the stake, and what the escrow owes. */
function Money({ stake, owed, coin, withKeys, reload }) {
  const [coins, setCoins] = useState("");
  const [said, setSaid] = useState("");
  const act = (path, body) => () =>
    withKeys(async () => {
      setSaid((await post(path, body)).text);
      await reload();
    });
  const leaving = stake?.leaving;
  return html`<section class="card">
    <h2>Stake and payments</h2>
    <p>The escrow owes this account ${owed ?? "nothing"}. Jobs that end pay by themselves; what they could not waits here.</p>
    <div class="bar"><${Act} label="Pay out what the escrow owes" busy="Paying…" run=${act("/api/withdraw")} /></div>
    ${stake && stake.owner !== stake.address && html`<p>The stake belongs to <${Id} of=${stake.owner} />, who moves it.</p>`}
    ${
      stake &&
      html`<div class="bar"><label class="line">
          Coin
          <input inputmode="decimal" value=${coins} onInput=${(event) => setCoins(event.target.value.trim())} autocomplete="off" />
        </label>
          <${Act} label="Add to the stake" disabled=${coins === ""} run=${act("/api/stake/deposit", { coin: coins })} />
          <${Act} label="Take out of service" disabled=${coins === ""} run=${act("/api/stake/withdraw", { coin: coins })} />
          ${
            leaving &&
            html`<${Act} label=${`Collect ${amount(leaving.amount, coin)} coin`} disabled=${leaving.availableAt > chainNow()} run=${act("/api/stake/collect")} />
              <span class="quiet">it can be collected <${Countdown} to=${leaving.availableAt} /></span>`
          }
        </div>`
    }
    <p role="status">${said}</p>
  </section>`;
}

/** The sum over time, of each token. */
function Earned({ jobs }) {
  const tokens = [...new Map(jobs.map(({ token }) => [token.address, token])).values()].slice(0, 3);
  if (jobs.length === 0) return html`<p class="empty">No job of this account has ended yet.</p>`;
  const sums = tokens.map((token) => {
    let sum = 0;
    const values = jobs.map((job) => {
      if (job.token.address === token.address) sum += amount(job.paid, token);
      return sum;
    });
    return { label: token.symbol, values };
  });
  return html`<section class="card">
    <h2>Earnings</h2>
    <${Chart} title="Earned in all" x=${jobs.map(({ at }) => at)} series=${sums} isTime=${true} />
  </section>`;
}

function Runs({ jobs }) {
  if (jobs.length === 0) return null;
  return html`<section class="card">
    <h2>Runs</h2>
    <${Table} label="Runs" head=${["Job", "Role", "Ended", "As", "Paid"]}>
      ${jobs
        .slice(-100)
        .reverse()
        .map(
          (job) =>
            html`<tr>
              <th scope="row"><a href=${`#/job/${job.jobId}`}><${Id} of=${job.jobId} /></a></th>
              <td>${job.role}</td>
              <td>${new Date(job.at * 1000).toLocaleString()}</td>
              <td><${State} of=${job.state} /> ${job.cause ?? ""}</td>
              <td class="number">${amount(job.paid, job.token)} ${job.token.symbol}</td>
            </tr>`,
        )}
    <//>
  </section>`;
}

const programs = {
  server: "ichain serve",
  worker: "ichain provide or validate",
  peer: "ichain gossip run",
};

function Daemons({ daemons, text }) {
  return html`<section class="card">
    <h2>Daemons</h2>
    ${daemons.length === 0 && html`<p>${text}</p>`}
    ${daemons.map(
      ({ kind, state, since, unfinished, health, warnings }) =>
        html`<h3>${programs[kind]}</h3>
          <p>${state} for ${duration(Date.now() / 1000 - since)}; ${unfinished} unfinished.</p>
          <ul class="checks">
            ${health.map(({ name, ok, found }) => html`<li class=${ok ? "ok" : "fail"}>${ok ? "✔" : "✖"} ${name}: ${found}</li>`)}
          </ul>
          ${warnings.map(({ at, text: warning }) => html`<p class="warn">${new Date(at * 1000).toLocaleString()}: ${warning}</p>`)}`,
    )}
  </section>`;
}

function Policy() {
  const { data, error } = useData("/api/policy", { events: ["market"] });
  if (data === undefined) return html`<${Waiting} of="the policy" error=${error} />`;
  const { file, jobs, takes, because } = data;
  return html`<section class="card">
    <h2>Policy</h2>
    <p>${file ? html`<code>${file}</code>` : "There is no policy.yaml: careful defaults hold."}</p>
    <p>
      ${jobs === 0 ? "Nobody has posted a job yet." : `By their terms it would take ${takes} of the last ${jobs} posted jobs.`}
      ${because.length > 0 ? " The others not, because:" : ""}
    </p>
    <ul>
      ${because.map(
        ({ code, reason, count, fix }) =>
          html`<li>${count} × ${reason}${fix ? `; ${fix.field}: ${fix.value} would do for one` : ""} <code>${code}</code></li>`,
      )}
    </ul>
  </section>`;
}

function Doctor() {
  const [found, setFound] = useState();
  return html`<section class="card">
    <h2>Doctor</h2>
    <${Act} label="Examine this machine" busy="Examining…" run=${async () => setFound(await get("/api/doctor"))} />
    ${
      found &&
      html`<ul class="checks">
        ${found.data.checks.map(
          ({ name, status, found: what, todo }) =>
            html`<li class=${status}>${{ ok: "✔", warn: "!", fail: "✖" }[status]} ${name}: ${what} ${todo ?? ""}</li>`,
        )}
      </ul>`
    }
  </section>`;
}
