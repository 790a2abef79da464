// What one gives to a data campaign: rows with a deposit each, and a fix with a bond.
import { useState } from "preact/hooks";
import { post } from "./api.js";
import { Act, html } from "./parts.js";

/** What the page's server takes at once, less the rest of the request. */
const MAX_BYTES = 48_000;
const tooLarge = "It is too large for the page: add it by “ichain data add”, in a terminal.";

/** Rows to add: first what they would lock, then the adding, for no more than was said. */
export function AddRows({ id, withKeys, onDone }) {
  const [rows, setRows] = useState("");
  const [plan, setPlan] = useState();
  const [note, setNote] = useState("");
  const ask = (body) => post(`/api/campaigns/${id}/add`, { rows, ...body });
  const change = (text) => {
    setRows(text);
    setNote(new Blob([text]).size > MAX_BYTES ? tooLarge : "");
    setPlan(undefined);
  };
  const read = async (event) => {
    const [file] = event.target.files;
    if (file === undefined) return;
    change(file.size > MAX_BYTES ? "" : await file.text());
    if (file.size > MAX_BYTES) setNote(tooLarge);
  };
  const look = () => withKeys(async () => setPlan(await ask({ dryRun: true })));
  const add = () =>
    withKeys(async () => {
      const { text } = await ask({ most: String(plan.data.deposit) });
      change("");
      await onDone(text);
    });
  return html`<section class="card">
    <h2>Add rows</h2>
    <form class="form" onSubmit=${(event) => event.preventDefault()}>
      <label>
        A row a line
        <textarea
          rows="4"
          value=${rows}
          onInput=${(event) => change(event.target.value)}
          spellcheck=${false}
        ></textarea>
      </label>
      <label>Or a small file of rows <input type="file" accept="text/*,.csv,.tsv,.jsonl" onChange=${read} /></label>
      ${note && html`<p role="alert">${note}</p>`}
      <${Act} label="See what they would lock" kind=${plan ? "" : "primary"} disabled=${rows.trim() === "" || note !== ""} run=${look} />
      ${
        plan &&
        html`<pre tabindex="0" role="region" aria-label="What they would lock">${plan.text}</pre>
          <${Act} label="Lock the deposits and add them" busy="Adding…" kind="primary" run=${add} />`
      }
    </form>
  </section>`;
}

const kinds = [
  ["with", "Another row in its place"],
  ["remove", "It goes, such as a copy"],
  ["absent", "The data has no such row"],
];

/** A fix of another's row. */
export function FixRow({ id, bond, withKeys, onDone }) {
  const [row, setRow] = useState("");
  const [how, setHow] = useState("with");
  const [text, setText] = useState("");
  const isWhole = /^\d{1,9}\/\d{1,9}$/.test(row) && (how !== "with" || text !== "");
  const fix = () =>
    withKeys(async () => {
      const said = await post(`/api/campaigns/${id}/fix`, { row, how, ...(how === "with" && { text }) });
      setRow("");
      setText("");
      await onDone(said.text);
    });
  return html`<section class="card">
    <h2>Fix a row</h2>
    <p>The bond of ${bond} comes back unless the fix is found false.</p>
    <form class="form" onSubmit=${(event) => event.preventDefault()}>
      <label>
        Which: entry/row, both from 0
        <input value=${row} onInput=${(event) => setRow(event.target.value.trim())} placeholder="0/4" autocomplete="off" />
      </label>
      <label>
        What becomes of it
        <select value=${how} onChange=${(event) => setHow(event.target.value)}>
          ${kinds.map(([value, label]) => html`<option value=${value}>${label}</option>`)}
        </select>
      </label>
      ${
        how === "with" &&
        html`<label>
          The row as it should be
          <input value=${text} onInput=${(event) => setText(event.target.value)} maxlength="1024" autocomplete="off" spellcheck=${false} />
        </label>`
      }
      <${Act} label=${`Lock ${bond} and fix it`} busy="Fixing…" disabled=${!isWhole} run=${fix} />
    </form>
  </section>`;
}
