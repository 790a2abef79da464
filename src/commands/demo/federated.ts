import { appendFile, cp } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { openReader } from "../../compose.ts";
import { startChild } from "../../devnet/child.ts";
import { startDevnet } from "../../devnet/devnet.ts";
import { asOwnerOf } from "../../devnet/homes.ts";
import { costOf } from "../../devnet/ledger.ts";
import type { FederatedMisbehaviour } from "../../devnet/misbehave-federated.ts";
import { seconds } from "../../devnet/timeline.ts";
import type { JobId } from "../../protocol/ids.ts";
import { coin } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";

const PROVIDERS = 4;
const fromRoot = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** A round as `submit --json` prints it. */
interface RoundLine {
  readonly round: number;
  readonly before?: { readonly acc: number };
  readonly providers: readonly {
    readonly account: string;
    readonly weight: number;
    readonly sent: boolean;
    readonly pay: { readonly amount: string };
  }[];
}

/** A whole federated job on a market of its own, with bad providers among the good, until everyone is paid. */
export async function demoFederated(
  context: CommandContext,
  {
    out,
    bad = ["sign"],
    validators = 1,
  }: {
    readonly out?: string;
    readonly bad?: readonly FederatedMisbehaviour[];
    /** That lead the rounds; 0: the requester does. */
    readonly validators?: number;
  },
): Promise<void> {
  const { ui, signal, config } = context;
  const folder = resolve(out ?? `ichain-demo-${Date.now()}`);
  const begun = performance.now();
  const devnet = await startDevnet({
    providers: PROVIDERS,
    validators,
    bad,
    reporter: ui.reporter,
    signal,
  });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => devnet.stop());
  const paths = { ...config.paths, index: join(devnet.dir, "index.db") };
  const market = stack.adopt(
    await openReader({ config: { ...config, network: devnet.network, paths }, ui, signal }),
    (one) => one.stop(),
  );
  const ready = performance.now();
  const job = await jobFor(validators, devnet.dir);
  const child = startChild({
    name: "ichain submit",
    argv: [fromRoot("bin/ichain.js"), "submit", job, "--yes", "--out", folder, "--json"],
    env: asOwnerOf(devnet.requester),
    log: join(devnet.dir, "requester.log"),
  });
  stack.defer(() => child.stop());
  const names = new Map(
    [
      ...devnet.providers.map(({ account }, i) => [account, bad[i] ?? "honest"] as const),
      ...devnet.validators.map(({ account }) => [account, "validator"] as const),
    ].map(([account, plays]) => [account.toLowerCase(), plays]),
  );
  const ends: number[] = [];
  /** By account in lower case: the gate may leave an honest provider out of every round. */
  const earned = new Map<string, bigint>();
  let end: { jobId: string; cause: string; rounds: number; measured: { acc: number } } | undefined;
  for (let round = 1; end === undefined; round++) {
    const line = await child.line((one) => one.round === round || "cause" in one, { signal });
    if ("cause" in line) end = line as unknown as typeof end;
    else {
      ends.push(performance.now());
      const { before, providers } = line as unknown as RoundLine;
      for (const { account, pay } of providers)
        earned.set(account.toLowerCase(), (earned.get(account.toLowerCase()) ?? 0n) + BigInt(pay.amount));
      const left = providers.filter(({ weight }) => weight === 0).map(({ account }) => names.get(account));
      const text = `Round ${round} began at accuracy ${before?.acc.toFixed(3) ?? "-"}; left out: ${left.join(", ") || "none"}`;
      ui.reporter.emit({ kind: "info", text });
    }
  }
  const closed = performance.now();
  // Pay is due once no dispute can change it; the devnet's chain is moved there.
  const { deadline } = await market.federatedJob(end.jobId as JobId, { signal });
  await devnet.evm.increaseTime(Math.max(0, deadline + 1 - (await market.now({ signal }))));
  const paid: { account: string; plays: string; pay: string }[] = [];
  for await (const { members } of market.followFederated(end.jobId as JobId, { signal })) {
    if (members.some(({ standing }) => standing !== "released")) continue;
    if (
      members.every(
        ({ claimed, account }) => claimed > 0n || (earned.get(account.toLowerCase()) ?? 0n) === 0n,
      )
    ) {
      for (const { account, claimed } of members)
        paid.push({ account, plays: names.get(account.toLowerCase()) ?? "honest", pay: String(claimed) });
      break;
    }
  }
  const data = {
    jobId: end.jobId,
    rounds: end.rounds,
    accuracy: end.measured.acc,
    providers: paid,
    ...(await costOf(devnet.network, end.jobId as JobId, devnet.network.contracts.federated)),
    folder,
    seconds: {
      total: seconds(performance.now() - begun),
      devnet: seconds(ready - begun),
      firstRound: seconds((ends[0] ?? closed) - ready),
      laterRound: seconds(((ends.at(-1) ?? closed) - (ends[0] ?? closed)) / Math.max(1, ends.length - 1)),
    },
  };
  ui.print(data, () =>
    [
      `${data.rounds} rounds are closed and paid: accuracy ${data.accuracy.toFixed(3)}.`,
      ...paid.map(
        ({ account, plays, pay }) => `  ${account.slice(0, 10)} (${plays}) got ${coin(BigInt(pay))}`,
      ),
      `${data.txs} transactions, ${data.gas} gas. The first round took ${data.seconds.firstRound} s with enlisting, each later one ${data.seconds.laterRound} s, over Tor.`,
      `Model and ledger lie in ${folder}`,
    ].join("\n"),
  );
}

/** The example's job.yaml; with validators a copy of the example that they lead. */
async function jobFor(validators: number, dir: string): Promise<string> {
  const example = fromRoot("examples/federated-digits");
  if (validators === 0) return join(example, "job.yaml");
  const copy = join(dir, "job");
  await cp(example, copy, { recursive: true });
  const led = `  validators: { count: ${validators}, fee: 0.001, deposit: 0.001 }\n  audit: 1\n`;
  await appendFile(join(copy, "job.yaml"), led);
  return join(copy, "job.yaml");
}
