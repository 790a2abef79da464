// What the words mean, and what the command line can do.
import { useData } from "./api.js";
import { html, Waiting } from "./parts.js";

const words = [
  [
    "Requester",
    "Posts a job and locks its price in a contract. The money moves by the contract's rules only.",
  ],
  [
    "Provider",
    "Accepts a job with a part of its stake, runs it in a sandbox, and gives its result, encrypted.",
  ],
  [
    "Validator",
    "Measures the result for a fee. When the measurements agree, the provider is paid and shows the key that opens it.",
  ],
  ["Locked", "Money in the contract. When the job is over it is paid, or comes back."],
  ["Due", "When the turn of the party that must act ends. What happens then is told beside each job."],
  [
    "Standing",
    "What speaks for a provider less what speaks against it, from −1 to 1; 0 is no record that counts.",
  ],
  ["Pool", "All jobs of the market that wait for the same step."],
  [
    "Campaign",
    "Collects rows of data: a deposit for each, a price for those that stand, and a bond for who corrects one.",
  ],
  ["Password", "The wallet's. What signs or spends asks for it, once; reading does not."],
];

export function Help() {
  const { data, error } = useData("/api/help");
  return html`<section>
    <h1>Help</h1>
    <section class="card">
      <h2>Words</h2>
      <dl class="words">
        ${words.map(([word, text]) => html`<dt>${word}</dt><dd>${text}</dd>`)}
      </dl>
    </section>
    <section class="card">
      <h2>A job</h2>
      <ol>
        <li>Choose “New job”, and the folder that has its job.yaml. <code>ichain new sklearn my-job</code> makes one.</li>
        <li>Look at who could do it, with ratings and prices, and at the plan with what it locks.</li>
        <li>Post it. The page shows its progress; it may be closed meanwhile, and <code>ichain web</code> not, unless <code>ichain serve</code> runs.</li>
        <li>Open the result when the job is settled, and rate its provider.</li>
      </ol>
      <p>“Take it back” ends a job that nobody accepted; “Stop the run” ends one that runs, and pays for the time used.</p>
    </section>
    ${
      data === undefined
        ? html`<${Waiting} of="the commands" error=${error} />`
        : html`<section class="card">
            <h2>Commands</h2>
            <p>Everything here, and more, can be done in a terminal.</p>
            <dl class="words">
              ${data.commands.map(({ name, summary }) => html`<dt><code>ichain ${name}</code></dt><dd>${summary}</dd>`)}
            </dl>
          </section>`
    }
  </section>`;
}
