import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { openRole } from "../../../compose.ts";
import { IchainError } from "../../../errors/error.ts";
import { memberOf } from "../../../protocol/federated/market/fold.ts";
import type { FederatedJob } from "../../../protocol/federated/market/job.ts";
import type { Shares } from "../../../protocol/federated/pay/shares.ts";
import { genesisDigest } from "../../../protocol/gossip/genesis.ts";
import { type ConfirmedModel, countModels } from "../../../protocol/gossip/settle/counted.ts";
import { measuredMixes } from "../../../protocol/gossip/settle/measured.ts";
import { poolClosing, poolPayOf } from "../../../protocol/gossip/settle/pool.ts";
import { mixesOf, planTrials } from "../../../protocol/gossip/settle/trials.ts";
import { sharePool, worthOf } from "../../../protocol/gossip/settle/worth.ts";
import type { Address } from "../../../protocol/ids.ts";
import type { RoleContext } from "../../../roles/context.ts";
import { ModelFolder } from "../../../roles/gossip/settle/model-folder.ts";
import { closePool, openPool, payPool } from "../../../roles/gossip/settle/pool.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { openEvidence } from "./evidence.ts";
import { describeSettled, MEASURED, MODELS, type PoolStanding, settledPeers } from "./settled.ts";
import { readTicket } from "./ticket.ts";

const MAX_MEASURED = 64 << 20;

/**
 * Shares a pool by what each peer's training gave: checks the chains, finds what their models could have been made of
 * without training, writes what is to be measured, and shares by what was measured of that. A pool on the chain is begun,
 * closed and paid, whichever is due.
 */
export async function run(
  context: CommandContext,
  args: { evidence: string },
  options: { span: number; exam: string; pool?: bigint; ticket?: string; from?: number; until?: number },
): Promise<void> {
  const { ui, signal } = context;
  const { genesis, peers: all } = await openEvidence(args.evidence);
  const ticket = options.ticket === undefined ? undefined : await readTicket(options.ticket);
  if (ticket !== undefined && ticket.spec.genesis !== genesisDigest(genesis)) {
    throw new IchainError("GOSSIP_POOL_INVALID", `The pool ${ticket.job} is for another network's chains.`);
  }
  await using role = ticket === undefined ? undefined : await openRole(context);
  const job = ticket && role && (await openPool(role, ticket, { signal }));
  const peers = all.filter(({ account }) => job === undefined || memberOf(job, account) !== undefined);
  const transactions = peers.flatMap(({ blocks }) => blocks.flatMap(({ block }) => block.transactions));
  const times = transactions.map(({ transaction }) => transaction.create);
  const span = ticket?.spec.span ?? options.span;
  const { from = Math.min(...times), until = Math.max(...times) + span } = options;
  const named = transactions.map(({ transaction }) => transaction.model);
  const models = await ModelFolder.open(join(args.evidence, MODELS), genesis, named, { signal });
  const counted = countModels(peers, { from, until, has: (model) => models.has(model) });
  const trials = planTrials(counted.counted, { from, span, dot: (a, b) => models.dot(a, b) });
  const exam = resolve(options.exam);
  const mixes = mixesOf(trials);
  const measured = await readMeasured(join(exam, MEASURED));
  if (measured === undefined) {
    await mkdir(join(exam, MODELS), { recursive: true });
    for (const [name, mix] of mixes) {
      await writeFile(join(exam, MODELS, `${name}.safetensors`), models.fileOf(mix));
    }
  }
  const accounts = peers.map(({ account }) => account);
  const worth =
    measured === undefined ? undefined : worthOf(accounts, trials, measuredMixes(measured, mixes));
  const pool = job?.terms.roundPrice ?? options.pool;
  const shared = worth && pool !== undefined ? sharePool(pool, worth) : undefined;
  const rest = shared && (shared.refunded ? pool! : shared.rest);
  const found = { counted: counted.counted, measured, shared, accounts };
  const escrow = job && role && (await moveOn(role, job, found, signal));
  const settled = {
    ...{ exam, models: mixes.size, spans: trials.length, measured: measured !== undefined },
    peers: settledPeers(counted, worth, shared),
    ...(rest !== undefined && { rest }),
    ...(escrow && { escrow }),
  };
  ui.print({ name: genesis.name, ...settled }, () => describeSettled(ui, settled));
}

/** Closes the pool with what was found, or pays what it was closed with. */
async function moveOn(
  role: RoleContext,
  job: FederatedJob,
  {
    counted,
    measured,
    shared,
    accounts,
  }: {
    counted: readonly ConfirmedModel[];
    measured: string | undefined;
    shared: Shares | undefined;
    accounts: readonly Address[];
  },
  signal: AbortSignal,
): Promise<PoolStanding> {
  const { state, deadline, terms } = job;
  const now = { state, deadline, paid: false };
  if (measured === undefined || shared === undefined) return now;
  const pay = poolPayOf(shared, { pool: terms.roundPrice, members: accounts, requester: terms.requester });
  if (state === "Running") {
    const ended = await closePool(role, job, { pay, counted, measured }, { signal });
    return { ...now, state: ended.state, deadline: ended.deadline };
  }
  const closed = job.closings[0]?.closing;
  if (closed === undefined) return now;
  if (closed.payRoot !== poolClosing(pay, counted, measured).payRoot) {
    throw new IchainError(
      "GOSSIP_POOL_INVALID",
      `The pool ${job.id} was closed with other shares than these.`,
    );
  }
  return { ...now, paid: await payPool(role, job, pay, { signal }) };
}

/** Undefined where nothing was measured yet. */
async function readMeasured(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  if (found.size <= MAX_MEASURED) return readFile(path, "utf8");
  throw new IchainError("GOSSIP_MEASURED_INVALID", `The file ${path} is larger than ${MAX_MEASURED} bytes.`);
}
