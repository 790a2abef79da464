// A new job: its file, who does it, what it locks, and posting it.
import { useState } from "preact/hooks";
import { post, useData } from "./api.js";
import { stars } from "./market.js";
import { Act, Failed, html, Id, Table } from "./parts.js";

export function Submit({ withKeys }) {
  const { data: found, reload } = useData("/api/files");
  const [file, setFile] = useState("");
  const [variables, setVariables] = useState("");
  const [provider, setProvider] = useState("best");
  const [validator, setValidator] = useState("best");
  const [looked, setLooked] = useState();
  const [plan, setPlan] = useState();

  const asked = (changes = {}) => ({ file, provider, validator, variables: pairs(variables), ...changes });
  const look = async (changes) => {
    setPlan(undefined);
    const choices = await post("/api/choices", asked(changes));
    setLooked(choices);
    setPlan(await post("/api/plan", asked(changes)));
  };
  const begin = async (template) => {
    await post("/api/new", { template });
    await reload();
    setFile(`${template}/job.yaml`);
  };
  const submit = () =>
    withKeys(async () => {
      const { data } = await post("/api/submit", { ...asked(), most: mostOf(plan.data) });
      location.hash = data.cells ? "#/jobs" : `#/job/${data.jobId}`;
    });
  const choose = (set, name) => (value) => {
    set(value);
    return look({ [name]: value });
  };
  const change = (set) => (event) => {
    set(event.target.value);
    setLooked(undefined);
    setPlan(undefined);
  };
  return html`<section>
    <h1>New job</h1>
    <form class="card form" onSubmit=${(event) => event.preventDefault()}>
      <label>
        Folder or job.yaml, on this machine
        <input list="found" value=${file} onInput=${change(setFile)} spellcheck=${false} autocomplete="off" />
      </label>
      <datalist id="found">${found?.files.map((one) => html`<option value=${one}></option>`)}</datalist>
      ${
        found &&
        found.files.length > 0 &&
        file === "" &&
        html`<div>
          <p>Found in <code>${found.folder}</code>:</p>
          <ul class="picks">
            ${found.files.map(
              (one) =>
                html`<li><button type="button" class="link" onClick=${() => setFile(one)}>${one}</button></li>`,
            )}
          </ul>
        </div>`
      }
      ${found && file === "" && html`<${Begin} templates=${found.templates} take=${begin} />`}
      <details>
        <summary>Variables</summary>
        <label>
          One NAME=VALUE a line, of those that job.yaml declares
          <textarea rows="3" value=${variables} onInput=${change(setVariables)} spellcheck=${false}></textarea>
        </label>
      </details>
      <${Act} label="See who could do it" kind=${plan ? "" : "primary"} disabled=${file === ""} run=${() => look()} />
    </form>
    ${looked && html`<${Choices} looked=${looked} chosen=${{ provider, validator }} setProvider=${choose(setProvider, "provider")} setValidator=${choose(setValidator, "validator")} />`}
    ${
      plan &&
      html`<section class="card">
        <h2>The plan</h2>
        <pre tabindex="0" role="region" aria-label="The plan">${plan.text}</pre>
        <${Act} label=${plan.data.cells ? `Lock the money and post ${plan.data.cells.length} jobs` : "Lock the money and post the job"} busy="Posting…" kind="primary" run=${submit} />
      </section>`
    }
  </section>`;
}

/** A folder of one's own to begin with, as `ichain new` makes it. */
function Begin({ templates, take }) {
  return html`<div>
    <p>Or begin with an example, in a folder of its own:</p>
    <ul class="picks">
      ${templates.map(
        ({ name, summary }) =>
          html`<li><${Act} label=${name} kind="link" run=${() => take(name)} /> ${summary}</li>`,
      )}
    </ul>
  </div>`;
}

/** What the plan would lock. */
const mostOf = ({ locked }) => locked.amount ?? locked;

function pairs(text) {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.includes("="))
    .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]);
}

function Choices({ looked, chosen, setProvider, setValidator }) {
  const [error, setError] = useState();
  const pick = (set) => (value) => set(value).then(() => setError(undefined), setError);
  if (looked.kind === "federated")
    return html`<p class="card">A federated job: providers are invited, and those that its terms suit take part.</p>`;
  if (looked.kind === "matrix")
    return html`<p class="card">
      This file has a matrix of ${looked.cells} jobs: each goes to the best, and together they lock no more than the plan
      says. Their results wait in the list of jobs.
    </p>`;
  const head = ["Choose", "Account", "Name", "Rating", "Settled", "Price", "Isolation"];
  return html`<section class="card">
    <h2>Who does “${looked.name}”</h2>
    <${Failed} error=${error} />
    <${Party} label="Provider" name="provider" best="The best, and the next best where it declines" among=${looked.providers} value=${chosen.provider} set=${pick(setProvider)} head=${head} />
    ${
      looked.validatorSeats > 0
        ? html`<${Party} label="Validator" name="validator" best="By chance, among the good" among=${looked.validators} value=${chosen.validator} set=${pick(setValidator)} head=${head} />`
        : html`<p>It asks for no validator: you may challenge the result.</p>`
    }
    ${
      looked.unfit.length > 0 &&
      html`<details>
        <summary>${looked.unfit.length} others cannot have it</summary>
        <ul>
          ${looked.unfit.map(({ account, why }) => html`<li><${Id} of=${account} /> ${why}</li>`)}
        </ul>
      </details>`
    }
  </section>`;
}

function Party({ label, name, best, among, value, set, head }) {
  const radio = (account, text) =>
    html`<input
      type="radio"
      name=${name}
      aria-label=${text}
      checked=${value === account}
      onChange=${() => set(account)}
    />`;
  return html`<fieldset>
    <legend>${label}</legend>
    <label class="line">${radio("best", `${label}: ${best}`)} ${best}</label>
    <${Table} label=${`${label}s`} head=${head}>
      ${among.map(
        (one) =>
          html`<tr>
            <td>${radio(one.account, `${label} ${one.account}`)}</td>
            <th scope="row"><${Id} of=${one.account} /></th>
            <td>${one.name}</td>
            <td class="number">${stars(one.rating, one.ratings)}</td>
            <td class="number">${one.settled}</td>
            <td class="number">${one.price}</td>
            <td>${one.tier}</td>
          </tr>`,
      )}
    <//>
  </fieldset>`;
}
