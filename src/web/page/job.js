// One job: where it stands, what is done, and what can be done.
import { useEffect, useRef, useState } from "preact/hooks";
import { on, post, useData } from "./api.js";
import { Federated } from "./federated.js";
import {
  Act,
  bytes,
  Countdown,
  Facts,
  Failed,
  html,
  Id,
  Lines,
  State,
  Steps,
  Table,
  Waiting,
} from "./parts.js";

const STAGES = ["Posted", "Accepted", "Submitted", "Validating", "Validated", "Settled"];
/** Characters of a log that the page keeps. */
const LOG_KEPT = 200_000;

export function Job({ id, withKeys }) {
  const { data, error, reload } = useData(`/api/jobs/${id}`, { events: ["job"] });
  const reports = useReports(id, data?.reports);
  if (data === undefined) return html`<${Waiting} of="the job" error=${error} />`;
  const what = data.kind === "federated" ? Federated : Single;
  return html`<section>
    <h1>
      ${data.kind === "federated" ? "Federated job" : "Job"} ${data.name ? html`${data.name} ` : ""}<${Id} of=${data.jobId} />
      ${" "}<${State} of=${data.state} />
    </h1>
    <${Failed} error=${error} />
    <${what} job=${data} reports=${reports} withKeys=${withKeys} reload=${reload} />
  </section>`;
}

/** What is reported of the job, from the server's memory and then as it happens. */
function useReports(id, known = []) {
  const [live, setLive] = useState([]);
  useEffect(() => setLive(known), [id, known.length > 0]);
  useEffect(
    () =>
      on("report", (event) => {
        if (event.job !== id) return;
        setLive((before) => [...before.filter((one) => !one.id || one.id !== event.id), event].slice(-60));
      }),
    [id],
  );
  return live;
}

function Single({ job, reports, withKeys, reload }) {
  const { jobId, state, role, deadline, money, price, final } = job;
  const reached = STAGES.indexOf(state);
  return html`
    <ol class="stages" aria-label="Stages">
      ${STAGES.map(
        (stage, at) =>
          html`<li
            class=${at <= reached ? "done" : ""}
            aria-current=${stage === state ? "step" : undefined}
          >
            ${stage}
          </li>`,
      )}
      ${reached < 0 && html`<li class="done bad" aria-current="step">${state}</li>`}
    </ol>
    <${Facts}
      rows=${[
        ["Your part", role ?? "onlooker"],
        ["Price", price],
        ["Your money", money],
        ["Due", final ? "nothing any more" : html`<${Countdown} to=${deadline} />`],
      ]}
    />
    <div class="bar"><${Acts} job=${job} withKeys=${withKeys} reload=${reload} /></div>
    <div class="columns">
      <section class="card">
        <h2>Where it stands</h2>
        <${Lines} text=${job.why} />
        <${Links} links=${job.links} />
      </section>
      <section class="card">
        <h2>Progress</h2>
        <${Steps} reports=${reports} />
      </section>
    </div>
    <${Result} result=${job.result} />
    <${Measured} of=${job.measured} />
    <${Log} id=${jobId} role=${role} withKeys=${withKeys} />
    <details class="card">
      <summary>Terms</summary>
      <${Facts} rows=${job.rows} />
    </details>
  `;
}

function Acts({ job, withKeys, reload }) {
  const { jobId, state, role, final, isKeyKnown, isRated, result, parties } = job;
  const act = (verb, body) => () =>
    withKeys(async () => {
      await post(`/api/jobs/${jobId}/${verb}`, body);
      await reload();
    });
  const mine = role === "requester";
  const [score, setScore] = useState("5");
  return html`
    ${mine && state === "Posted" && html`<${Act} label="Take it back" run=${act("cancel")} />`}
    ${mine && state === "Accepted" && html`<${Act} label="Stop the run" kind="danger" run=${act("stop")} />`}
    ${mine && state === "Claimed" && html`<${Act} label="Challenge the result" kind="danger" run=${act("challenge")} />`}
    ${mine && isKeyKnown && !result && html`<${Act} label="Open the result" kind="primary" run=${act("get")} />`}
    ${
      final &&
      parties &&
      ((mine && !isRated) || role === "provider") &&
      (state === "Settled" || state === "Refunded") &&
      html`<span class="act">
        <label>
          Score
          <select value=${score} onChange=${(event) => setScore(event.target.value)}>
            ${[5, 4, 3, 2, 1].map((one) => html`<option value=${String(one)}>${one} of 5</option>`)}
          </select>
        </label>
        <${Act}
          label=${mine ? "Rate the provider" : "Rate the requester"}
          run=${() => act("rate", { score: Number(score) })()}
        />
      </span>`
    }
  `;
}

function Links({ links = {} }) {
  const { previous, next } = links;
  return html`
    ${previous && html`<p>Before it: <a href=${`#/job/${previous}`}><${Id} of=${previous} /></a></p>`}
    ${next && html`<p>It goes on as <a href=${`#/job/${next}`}><${Id} of=${next} /></a></p>`}
  `;
}

function Result({ result }) {
  if (!result) return null;
  const { folder, files, contents } = result;
  return html`<section class="card">
    <h2>Result</h2>
    <p>It lies in <code>${folder}</code></p>
    <${Table} label="Files of the result" head=${["File", "Size"]}>
      ${files.map(
        ({ path, bytes: size }) =>
          html`<tr>
            <th scope="row">${path}</th>
            <td class="number">${bytes(size)}</td>
          </tr>`,
      )}
    <//>
    ${contents.length > 0 && html`<pre tabindex="0" role="region" aria-label="What is in the files">${contents.join("\n")}</pre>`}
  </section>`;
}

function Measured({ of: { threshold, provider, failed, validators } }) {
  if (provider === undefined && !failed && validators.length === 0) return null;
  return html`<section class="card">
    <h2>Measurements</h2>
    <p>The metric, turned so that larger is better; ${threshold} passes.</p>
    <${Table} label="Measurements" head=${["By", "Score"]}>
      <tr>
        <th scope="row">provider</th>
        <td class="number">${failed ? "the run failed" : (provider ?? "not shown yet")}</td>
      </tr>
      ${validators.map(
        ({ validator, abstained, committed, score }) =>
          html`<tr>
            <th scope="row">validator <${Id} of=${validator} /></th>
            <td class="number">
              ${abstained ? "abstained" : (score ?? (committed ? "committed" : "appointed"))}
            </td>
          </tr>`,
      )}
    <//>
  </section>`;
}

/** The log as it grows; opening one of a running job signs a request to its provider. */
function Log({ id, role, withKeys }) {
  const [log, setLog] = useState({});
  const end = useRef();
  useEffect(() => setLog({}), [id]);
  useEffect(() => {
    const more = on("log", ({ jobId, at, text }) => {
      if (jobId !== id) return;
      setLog((before) => {
        // Pieces that came with the first answer come once more as events.
        if (before.to === undefined || at + text.length <= before.to) return before;
        const fresh = at < before.to ? text.slice(before.to - at) : text;
        return { ...before, text: (before.text + fresh).slice(-LOG_KEPT), to: at + text.length };
      });
    });
    const over = on("log-end", ({ jobId, error }) => {
      if (jobId === id) setLog((before) => ({ ...before, running: false, error }));
    });
    return () => {
      more();
      over();
    };
  }, [id]);
  useEffect(() => {
    const box = end.current;
    if (box && box.scrollHeight - box.scrollTop - box.clientHeight < 200) box.scrollTop = box.scrollHeight;
  }, [log.text]);
  const open = async () => {
    const { text, dropped, running, error } = await post(`/api/jobs/${id}/log`);
    setLog({ text, to: dropped + text.length, running, error });
  };
  if (role === undefined) return null;
  return html`<section class="card">
    <h2>Log</h2>
    <${Act}
      label=${log.text === undefined ? "Show the log" : "Read it again"}
      disabled=${log.running === true}
      run=${() => (role === "requester" ? withKeys(open) : open())}
    />
    ${log.running && html`<span class="quiet" role="status"> It is followed as it grows.</span>`}
    <${Failed} error=${log.error} />
    ${
      log.text !== undefined &&
      html`<pre class="log" ref=${end} tabindex="0" role="region" aria-label="Log">${log.text || "Nothing yet."}</pre>`
    }
  </section>`;
}
