import { isDeepStrictEqual } from "node:util";
import type { Abortable } from "../../async/abort.ts";
import { isIchainError } from "../../errors/error.ts";
import type { OfferDraft } from "../../ports/market.ts";
import type { SandboxReport } from "../../ports/sandbox.ts";
import { coinText } from "../../protocol/amounts.ts";
import { sameAddress } from "../../protocol/ids.ts";
import type { Benchmark } from "../../protocol/machine/benchmark.ts";
import { bundledKinds, type OfferDetails } from "../../protocol/offer.ts";
import type { Policy } from "../../protocol/policy/policy.ts";
import type { RoleContext } from "../context.ts";
import { transact } from "../shared/transact.ts";

/** The details of an offer: what the sandbox found of this machine, and what the policy accepts. */
export function describeMachine(
  report: SandboxReport,
  policy: Policy,
  { diskBytes, name, benchmark }: { diskBytes: number; name: string; benchmark?: Benchmark | undefined },
): OfferDetails {
  return {
    version: 1,
    name,
    tier: report.tier,
    cpus: report.cpus,
    memoryBytes: report.memoryBytes,
    diskBytes,
    gpus: kindsOf(report.gpus),
    ...(benchmark && { benchmark }),
    images: report.images.map(({ name: image, digest }) => ({ name: image, digest })),
    bundledImages: bundledKinds.filter((kind) => policy.bundledImages[kind]),
    pulledImages: policy.pulledImages.from,
    ...(policy.maxCheckpoint > 0 ? { maxCheckpoint: policy.maxCheckpoint } : {}),
    coin: policy.tokens.includes("coin"),
    tokens: (policy.tenders ?? []).map(({ token, worth, pricePerHour, validationFee }) => ({
      token,
      worth: String(worth),
      pricePerHour: String(pricePerHour),
      validationFee: String(validationFee),
    })),
  };
}

/** Equal GPUs as one kind with their number, because an offer has at most 2 KiB. */
function kindsOf(gpus: SandboxReport["gpus"]): OfferDetails["gpus"] {
  const kinds = Map.groupBy(gpus, ({ model, memoryBytes, driver = "" }) =>
    JSON.stringify([model, memoryBytes, driver]),
  );
  return [...kinds.values()].slice(0, 16).map((equal) => {
    const { model, memoryBytes, driver = "" } = equal[0]!;
    return { model, memoryBytes, driver, count: equal.length };
  });
}

/** Publishes the offer and deposits the stake where they differ from what is wanted; safe to repeat. */
export async function publishOffer(
  context: RoleContext,
  {
    roles,
    policy,
    machine,
    stake,
  }: {
    roles: { provider: boolean; validator: boolean };
    policy: Policy;
    machine: OfferDetails;
    stake: bigint;
  },
  options: Abortable,
): Promise<void> {
  const { market, account, keyring, reporter } = context;
  const draft: OfferDraft = {
    ...roles,
    priceFloor: policy.pricePerHour,
    feeFloor: policy.validationFee,
    keys: keyring.publicKeys,
    details: machine,
  };
  await finishBegun(context, draft, options);
  const published = await market.offer(account, options);
  const journal = context.journal.open("account", `offer-${published ? "change" : "first"}-${Date.now()}`);
  if (!published || !sameOffer(published, draft)) {
    await transact(market, journal, { kind: "publish", offer: draft }, { ...options, name: "publish" });
    reporter.emit({ kind: "info", text: "The offer is published" });
  }
  const missing = stake - (published?.stake ?? 0n);
  if (missing > 0n) {
    const { owner } = await market.ownership(account, options);
    if (sameAddress(owner, account)) {
      await transact(market, journal, { kind: "deposit", amount: missing }, { ...options, name: "deposit" });
      reporter.emit({ kind: "info", text: "The stake is deposited" });
    } else {
      // What the owner took out on purpose must not be replaced by the coin that this key holds for gas.
      const text = `The stake lacks ${coinText(missing)} coin, which its owner ${owner} can deposit`;
      reporter.emit({ kind: "warn", text });
    }
  }
  journal.finish("done");
}

/** Ends the changes that a crash interrupted, before the offer is looked at: a deposit under way would be made twice. */
async function finishBegun(
  { market, journal: journals }: RoleContext,
  offer: OfferDraft,
  options: Abortable,
): Promise<void> {
  const begun = journals.undertakings({ role: "account", unfinished: true });
  for (const { key } of begun.filter((one) => one.key.startsWith("offer-"))) {
    const journal = journals.open("account", key);
    // Both have been signed: what they are called with here is not used.
    const calls = [{ kind: "publish", offer } as const, { kind: "deposit", amount: 0n } as const];
    try {
      for (const call of calls)
        if (journal.intent(call.kind) !== undefined)
          await transact(market, journal, call, { ...options, name: call.kind });
      journal.finish("done");
    } catch (error) {
      if (!isIchainError(error) || error.class !== "refused") throw error;
      journal.finish("failed");
    }
  }
}

/** Of the free disk: a smaller change since it was published is not worth a transaction at each start. */
const DISK_SHARE = 0.1;

export function sameOffer(published: OfferDraft, draft: OfferDraft): boolean {
  const { provider, validator, priceFloor, feeFloor, keys, details } = published;
  const [had, has] = [details.diskBytes, draft.details.diskBytes];
  const diskBytes = Math.abs(had - has) <= DISK_SHARE * had ? has : had;
  return isDeepStrictEqual(
    { provider, validator, priceFloor, feeFloor, keys, details: { ...details, diskBytes } },
    draft,
  );
}
