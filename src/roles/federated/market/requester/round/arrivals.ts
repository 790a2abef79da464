import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Abortable, raceSignal } from "../../../../../async/abort.ts";
import { retryTransient } from "../../../../../async/retry.ts";
import { IchainError, isIchainError } from "../../../../../errors/error.ts";
import type { JobJournal } from "../../../../../ports/journal.ts";
import { openUpdate } from "../../../../../protocol/federated/codec/update.ts";
import { updateDigest } from "../../../../../protocol/federated/digest.ts";
import { type LedgerDomain, recordHash, signerOf } from "../../../../../protocol/federated/ledger/record.ts";
import type { UpdateMessage } from "../../../../../protocol/federated/market/messages.ts";
import { readEvidence } from "../../../../../protocol/gossip/chain/evidence.ts";
import type { JobPool } from "../../../../../protocol/gossip/job-pool.ts";
import { type Address, type Hex, type JobId, sameAddress, shortId } from "../../../../../protocol/ids.ts";
import { parcelBytes } from "../../../../../protocol/limits.ts";
import type { RoleContext } from "../../../../context.ts";
import { chainDeadline } from "../../../../shared/chain-deadline.ts";
import type { Channel } from "../../channel.ts";
import { readBounded } from "../../read-bounded.ts";
import { HOST_TOKEN, UPDATE_FILE } from "../../update-parcel.ts";
import type { LeadFiles } from "../files.ts";

/** How long the others have at least, once the quorum has sent, milliseconds. */
const LEAST_GRACE_MS = 10_000;

/** Collects the updates of one round as their notices come; safe to begin again after a crash. */
export interface Arrivals {
  /** Takes a notice, records it, and begins to fetch what it names. */
  take(account: Address, channel: Channel, message: UpdateMessage): Promise<void>;
  /** Resolves once each of these has its update here, or has sent one that cannot be used: with whether all are here. */
  haveAll(accounts: readonly Address[]): Promise<boolean>;
  /** Those whose update is here now. */
  present(): readonly Address[];
  /** Resolves with those whose update is here when all are, when the quorum's grace is over, or at `sendBy`. */
  enough(request: { readonly quorum: number; readonly sendBy: number }): Promise<readonly Address[]>;
}

interface RoundOf {
  readonly job: JobId;
  readonly round: number;
  readonly parent: Hex;
  /** Values of an update. */
  readonly parameters: number;
  /** Of a pool: its updates are what peers hand over. */
  readonly gossip?: JobPool | undefined;
  readonly members: readonly {
    readonly account: Address;
    readonly channel: Channel;
    /** Digest of the rows that it was dealt, where updates are checked to name it. */
    readonly data?: Hex | undefined;
  }[];
  readonly files: LeadFiles;
}

/** Where the update of a message lies once it was fetched and opened. */
export function updatePath(files: LeadFiles, round: number, account: Address): string {
  return join(files.update(round, account), UPDATE_FILE);
}

/** The recorded notice of an account in a round; undefined before it came. */
export function updateNoticeOf(
  journal: JobJournal,
  round: number,
  account: Address,
): UpdateMessage | undefined {
  return journal.outcome<UpdateMessage>(`notice-${round}-${account.toLowerCase()}`);
}

export function openArrivals(
  context: RoleContext,
  journal: JobJournal,
  { job, round, parent, parameters, gossip, members, files }: RoundOf,
  { signal }: Abortable,
): Arrivals {
  const { market, reporter } = context;
  const here = new Set<Address>();
  /** Notices whose update could not be fetched or used. */
  const failed = new Set<Address>();
  let changed = Promise.withResolvers<void>();
  const tell = () => {
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const begun = new Set<Address>();
  const maxBytes = maxUpdateBytes(parameters, gossip);

  async function bring(account: Address, channel: Channel, message: UpdateMessage): Promise<void> {
    const isKnown = existsSync(updatePath(files, round, account));
    try {
      if (!isKnown)
        await retryTransient(
          () =>
            fetchUpdate(
              context,
              { channel, message, maxBytes, path: files.update(round, account) },
              { signal },
            ),
          () => undefined,
          { signal },
        );
      // Also what lay here before a crash: nothing says that it was checked then.
      const data = members.find((one) => sameAddress(one.account, account))?.data;
      await checkUpdate(files.update(round, account), message, { parameters, gossip, maxBytes, data });
      here.add(account);
    } catch (error) {
      if (signal.aborted) return;
      failed.add(account);
      const why = isIchainError(error) ? error.message : "It is not the one that was announced.";
      reporter.emit({
        kind: "warn",
        text: `Round ${round}: the update of ${shortId(account)} counts nothing. ${why}`,
      });
    }
    tell();
  }

  function begin(account: Address, channel: Channel, message: UpdateMessage): void {
    if (begun.has(account)) return;
    begun.add(account);
    void bring(account, channel, message);
  }

  for (const { account, channel } of members) {
    const known = updateNoticeOf(journal, round, account);
    if (known !== undefined) begin(account, channel, known);
  }

  return {
    async take(account, channel, message) {
      if (!members.some((one) => sameAddress(one.account, account))) return;
      // What is late, or signed by another, is passed over: its sender learns no more.
      if (!isUpdateOf(message, { account, round, parent }, market.ledgerDomainOf(job))) return;
      const kept = await journal.step(`notice-${round}-${account.toLowerCase()}`, {
        prepare: () => message,
        act: (one) => one,
      });
      begin(account, channel, kept);
    },
    async haveAll(accounts) {
      for (;;) {
        signal.throwIfAborted();
        const { promise } = changed;
        if (accounts.every((account) => here.has(account))) return true;
        if (accounts.some((account) => failed.has(account))) return false;
        await raceSignal(promise, signal);
      }
    },
    present: () => [...here],
    async enough({ quorum, sendBy }) {
      const startedAt = performance.now();
      using clock = chainDeadline(sendBy, market, signal);
      const least = Math.ceil(quorum * members.length);
      let until = Number.POSITIVE_INFINITY;
      const present = () => members.flatMap(({ account }) => (here.has(account) ? [account] : []));
      for (;;) {
        signal.throwIfAborted();
        const { promise } = changed;
        const settled = here.size + failed.size;
        const elapsed = performance.now() - startedAt;
        if (here.size >= least && until === Number.POSITIVE_INFINITY)
          until = elapsed + Math.max(LEAST_GRACE_MS, elapsed);
        if (settled >= members.length || clock.expired || elapsed >= until) return present();
        using wait = timer(until - elapsed);
        await raceSignal(Promise.race([promise, wait.over]), clock.signal).catch(() => undefined);
      }
    },
  };
}

/** Bytes of an update's parcel, at most. */
export function maxUpdateBytes(parameters: number, gossip?: JobPool): number {
  return parcelBytes(gossip?.evidence ?? 8 * parameters + (1 << 16));
}

/** True when a provider signed that it made this update in this round, of the model with the digest `parent`. */
export function isUpdateOf(
  { upload, signature, parcel }: UpdateMessage,
  { account, round, parent }: { readonly account: Address; readonly round: number; readonly parent: Hex },
  domain: LedgerDomain,
): boolean {
  const provider = account.toLowerCase();
  return (
    upload.round === round &&
    upload.parent === parent &&
    upload.location === parcel.root &&
    upload.provider === provider &&
    signerOf(recordHash(upload, domain), signature) === provider
  );
}

/** Fetches the update of a message into the folder `path`. */
export async function fetchUpdate(
  { transport, parcels }: Pick<RoleContext, "transport" | "parcels">,
  {
    channel,
    message: { transport: kind, address, parcel },
    path,
    maxBytes,
  }: {
    readonly channel: Channel;
    readonly message: UpdateMessage;
    readonly path: string;
    readonly maxBytes: number;
  },
  { signal }: Abortable,
): Promise<void> {
  const endpoint = { transport: kind, address, token: channel.token(HOST_TOKEN) } as const;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const request = { endpoint, root: parcel.root, path: `${path}.parcel`, maxBytes, size: parcel.bytes };
  const blob = await transport.fetch(request, { signal });
  await rm(path, { recursive: true, force: true });
  const limits = { maxBytes, maxFiles: 1 };
  await parcels.open({ blob, sessionKey: parcel.key, into: path, limits }, { signal });
  await rm(`${path}.parcel`, { force: true });
}

/**
 * Checks that what lies in the folder `path` is the update that its provider signed.
 * @throws UPDATE_INVALID
 */
export async function checkUpdate(
  path: string,
  { upload }: UpdateMessage,
  {
    parameters,
    gossip,
    maxBytes,
    data,
  }: {
    readonly parameters: number;
    readonly gossip?: JobPool | undefined;
    readonly maxBytes: number;
    /** Digest of the rows that its provider was dealt; not compared when absent. */
    readonly data?: Hex | undefined;
  },
): Promise<void> {
  if (data !== undefined && upload.data !== data)
    throw new IchainError(
      "UPDATE_INVALID",
      "The update is not valid: its provider says that it trained on other rows than it was dealt.",
    );
  const bytes = await readBounded(join(path, UPDATE_FILE), maxBytes);
  if (gossip === undefined) openUpdate(bytes, parameters);
  else readEvidence(bytes, { account: upload.provider, pool: gossip });
  if (updateDigest(createHash("sha256"), [bytes]) !== upload.update) throw otherUpdate();
}

function otherUpdate(): IchainError {
  return new IchainError(
    "UPDATE_INVALID",
    "The update is not valid: it is another than its provider signed.",
  );
}

/** Resolves `over` after this many milliseconds, unless it is disposed of before. */
function timer(ms: number) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const handle = Number.isFinite(ms) ? setTimeout(resolve, ms) : undefined;
  return { over: promise, [Symbol.dispose]: () => clearTimeout(handle) };
}
