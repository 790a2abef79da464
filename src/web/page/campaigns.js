// Data campaigns: who collects what, and for how much.
import { useState } from "preact/hooks";
import { useData } from "./api.js";
import { Countdown, Failed, html, Id, State, Table, Waiting } from "./parts.js";

const PAGE = 50;

export function Campaigns() {
  const [query, setQuery] = useState({ which: "open" });
  const { data, error } = useData("/api/campaigns", { query, events: ["campaign"], everyMs: 30_000 });
  const page = (from) => () => setQuery({ ...query, from });
  return html`<section>
    <h1>Campaigns</h1>
    <p>Data that their owners collect, pay for by the row, and have corrected.</p>
    <form class="bar" onSubmit=${(event) => event.preventDefault()}>
      <fieldset>
        <legend>Which</legend>
        ${[
          ["open", "Under way"],
          ["all", "All"],
        ].map(
          ([which, label]) =>
            html`<label>
              <input
                type="radio"
                name="which"
                checked=${query.which === which}
                onChange=${() => setQuery({ which })}
              />
              ${label}
            </label>`,
        )}
      </fieldset>
    </form>
    <${Failed} error=${error} />
    ${data === undefined ? !error && html`<${Waiting} of="the campaigns" />` : html`<${List} data=${data} page=${page} />`}
  </section>`;
}

function List({ data: { count, from, campaigns }, page }) {
  if (count === 0)
    return html`<p class="empty">No campaign is under way. <code>ichain data open</code> opens one.</p>`;
  const head = ["Campaign", "Name", "You", "State", "Rows", "Left", "Deposit", "Price", "Closes"];
  return html`
    <p role="status">${count} ${count === 1 ? "campaign" : "campaigns"}</p>
    <${Table} label="Campaigns" head=${head}>
      ${campaigns.map((one) => html`<${Row} key=${one.campaignId} ...${one} />`)}
    <//>
    ${
      count > campaigns.length &&
      html`<nav class="bar" aria-label="Pages of campaigns">
        <button type="button" disabled=${from === 0} onClick=${page(Math.max(0, from - PAGE))}>Before</button>
        <span>${from + 1} to ${from + campaigns.length}</span>
        <button type="button" disabled=${from + PAGE >= count} onClick=${page(from + PAGE)}>Next</button>
      </nav>`
    }
  `;
}

function Row({ campaignId, name, roles, state, rows, deposit, price, closesAt }) {
  return html`<tr>
    <th scope="row"><a href=${`#/campaign/${campaignId}`}><${Id} of=${campaignId} /></a></th>
    <td class="name">${name}</td>
    <td>${roles.join(", ")}</td>
    <td><${State} of=${state} /></td>
    <td class="number">${rows.added}</td>
    <td class="number">${rows.left}</td>
    <td class="number">${deposit}</td>
    <td class="number">${price}</td>
    <td>${state === "open" ? html`<${Countdown} to=${closesAt} />` : "–"}</td>
  </tr>`;
}
