// The market: what is offered, and who waits for what.
import { useState } from "preact/hooks";
import { useData } from "./api.js";
import { Countdown, Failed, html, Id, State, Table, Waiting } from "./parts.js";

export function Offers() {
  const [query, setQuery] = useState({ sort: "rating" });
  const { data, error } = useData("/api/offers", { query });
  const set = (name) => (event) => setQuery({ ...query, [name]: event.target.value, from: undefined });
  const from = data?.from ?? 0;
  const page = (at) => () => setQuery({ ...query, from: at });
  return html`<section>
    <h1>Providers</h1>
    <form class="bar" onSubmit=${(event) => event.preventDefault()}>
      <${Choice} label="Best first by" value=${query.sort} set=${set("sort")} of=${["rating", "price", "jobs", "stake"]} />
      <${Choice} label="Isolation" value=${query.tier ?? ""} set=${set("tier")} of=${[["", "any"], "runc", "userns", "gvisor", "vm"]} />
      <${Choice} label="GPU" value=${query.gpu ?? ""} set=${set("gpu")} of=${[["", "with or without"], ["yes", "with"]]} />
      <${Choice}
        label="Rated at least"
        value=${query.minRating ?? ""}
        set=${set("minRating")}
        of=${[["", "any"], "2", "3", "4", "4.5"]}
      />
    </form>
    <${Failed} error=${error} />
    ${
      data === undefined
        ? !error && html`<${Waiting} of="the offers" />`
        : html`
            <p role="status">${data.count} ${data.count === 1 ? "offer" : "offers"}</p>
            <${Table}
              label="Offers"
              head=${["Account", "Name", "Standing", "Rating", "Settled", "Coin an hour", "Stake", "Isolation", "Machine", "Validates"]}
            >
              ${data.offers.map((offer) => html`<${OfferRow} key=${offer.account} ...${offer} />`)}
            <//>
            ${
              data.count > data.offers.length &&
              html`<nav class="bar" aria-label="Pages of offers">
                <button type="button" disabled=${from === 0} onClick=${page(Math.max(0, from - 50))}>Before</button>
                <span>${from + 1} to ${from + data.offers.length}</span>
                <button type="button" disabled=${from + 50 >= data.count} onClick=${page(from + 50)}>Next</button>
              </nav>`
            }
          `
    }
    <${Prices} />
  </section>`;
}

export function Choice({ label, value, set, of: values }) {
  return html`<label>
    ${label}
    <select value=${value} onChange=${set}>
      ${values
        .map((one) => (typeof one === "string" ? [one, one] : one))
        .map(([each, text]) => html`<option value=${each} selected=${each === value}>${text}</option>`)}
    </select>
  </label>`;
}

function OfferRow(offer) {
  const { account, name, standing, rating, ratings, settled, hour, stake, tier, machine } = offer;
  return html`<tr>
    <th scope="row"><${Id} of=${account} /></th>
    <td>${name}</td>
    <td class="number">${standing.toFixed(2)}</td>
    <td class="number">${stars(rating, ratings)}</td>
    <td class="number">${settled}</td>
    <td class="number">${hour}</td>
    <td class="number">${stake}</td>
    <td>${tier}</td>
    <td>${machine}</td>
    <td>${offer.validator ? (offer.pooled ? "yes, drawn too" : "yes") : "no"}</td>
  </tr>`;
}

export const stars = (rating, count) =>
  rating === undefined ? "new" : `${rating.toFixed(1)} of 5 (${count})`;

function Prices() {
  const { data } = useData("/api/prices");
  if (!data?.data?.prices?.length) return null;
  return html`<section class="card">
    <h2>What an hour costs</h2>
    <pre tabindex="0" role="region" aria-label="Prices">${data.text}</pre>
  </section>`;
}

export function Pools() {
  const { data, error } = useData("/api/pools", { events: ["job", "market"] });
  if (data === undefined) return html`<${Waiting} of="the pools" error=${error} />`;
  return html`<section>
    <h1>Pools</h1>
    <p>Every job of the market that waits for somebody, by what it waits for.</p>
    ${data.pools.length === 0 && html`<p class="empty">No job is under way.</p>`}
    ${data.pools.map(
      ({ state, count, jobs }) =>
        html`<section class="card">
          <h2><${State} of=${state} /> ${count} ${count === 1 ? "job" : "jobs"}</h2>
          <${Table} label=${`Jobs that are ${state}`} head=${["Job", "Waits for", "Locked", "Due"]}>
            ${jobs.map(
              (job) =>
                html`<tr key=${job.jobId}>
                  <th scope="row">
                    <a href=${`#/job/${job.jobId}`}><${Id} of=${job.jobId} /></a>
                    ${job.role && html` <span class="tag">yours</span>`}
                  </th>
                  <td>${job.waitsFor}</td>
                  <td class="number">${job.locked}</td>
                  <td><${Countdown} to=${job.deadline} /></td>
                </tr>`,
            )}
          <//>
        </section>`,
    )}
  </section>`;
}
