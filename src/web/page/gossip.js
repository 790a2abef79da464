// The home's gossip peers: how their models do, which blocks they have, and who confirmed them.
import { useData } from "./api.js";
import { Chart } from "./chart.js";
import { duration, Facts, html, Id, Table, Waiting } from "./parts.js";

export function Gossip() {
  const { data, error } = useData("/api/gossip", { everyMs: 10_000 });
  if (data === undefined) return html`<${Waiting} of="the peers" error=${error} />`;
  const { running, networks } = data;
  return html`<section>
    <h1>Gossip</h1>
    <p>Peers that train together without a server. Each keeps a chain of its own, of what others measured and confirmed.</p>
    ${
      running === undefined
        ? html`<p class="empty">No peer runs in this home. <code>ichain gossip run gossip.yaml</code> starts one.</p>`
        : html`<${Running} ...${running} />`
    }
    ${networks.map((one) => html`<${Network} key=${one.name} ...${one} />`)}
  </section>`;
}

function Running({ state, since, account, health }) {
  return html`<section class="card">
    <h2>The peer that runs</h2>
    <p>${state} for ${duration(Date.now() / 1000 - since)}${account && html`, as <${Id} of=${account} />`}.</p>
    <ul class="checks">
      ${health.map(({ name, ok, found }) => html`<li class=${ok ? "ok" : "fail"}>${ok ? "✔" : "✖"} ${name}: ${found}</li>`)}
    </ul>
  </section>`;
}

function Network({ name, account, count, blocks, witnesses, why }) {
  const sum = (key) => blocks.reduce((all, one) => all + one[key], 0);
  const last = blocks.at(-1);
  if (last === undefined)
    return html`<section class="card"><h2>${name}</h2><p class="empty">${why ?? "No block is final yet."}</p></section>`;
  return html`<section class="card">
    <h2>${name}</h2>
    <${Facts}
      rows=${[
        ["Peer", html`<${Id} of=${account} />`],
        ["Blocks", `${count}${count > blocks.length ? `, the last ${blocks.length} below` : ""}`],
        ["Confirmed", `${sum("confirmations")} of ${sum("receipts")} receipts`],
        ["Accuracy", `${last.accuracy.toFixed(3)} in the last block, as its witnesses measured`],
      ]}
    />
    <${Chart} title="Accuracy, mean of a block's receipts" x=${blocks.map(({ finalizedAt }) => finalizedAt)} series=${[{ label: "accuracy", values: blocks.map(({ accuracy }) => accuracy) }]} isTime=${true} />
    <${Table} label=${`Blocks of ${name}`} head=${["Block", "Final", "Transactions", "Confirmed", "Accuracy"]}>
      ${blocks
        .slice(-50)
        .reverse()
        .map(
          (one) => html`<tr>
            <th scope="row">${one.height}</th>
            <td>${new Date(one.finalizedAt * 1000).toLocaleString()}</td>
            <td class="number">${one.transactions}</td>
            <td class="number">${one.confirmations} of ${one.receipts}</td>
            <td class="number">${one.accuracy.toFixed(3)}</td>
          </tr>`,
        )}
    <//>
    <${Table} label=${`Peers that confirmed blocks of ${name}`} head=${["Witness", "Confirmed"]}>
      ${witnesses.map(
        (one) => html`<tr>
          <th scope="row"><${Id} of=${one.account} /></th>
          <td class="number">${one.confirmations}</td>
        </tr>`,
      )}
    <//>
  </section>`;
}
