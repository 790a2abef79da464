import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { openJournal } from "../../../../src/journal/journal.ts";
import type { Transport } from "../../../../src/ports/transport.ts";
import type { Hex } from "../../../../src/protocol/ids.ts";
import { endpointFor } from "../../../../src/protocol/parcel/locator.ts";
import { deliver, hostResult } from "../../../../src/roles/job/provider/deliver.ts";
import { awaitCapsule } from "../../../../src/roles/shared/await-capsule.ts";
import { createDirectTransport } from "../../../../src/transfer/direct/direct-transport.ts";
import { send, someOffer, startChain } from "../../../support/chain/chain.ts";
import { requesterTip } from "../../../support/chain/secrets.ts";
import { random32, someTerms } from "../../../support/chain/terms.ts";
import { makeBlob, temporaryFolder } from "../../../support/parcel/blob.ts";
import { code, newKeyring } from "../../../support/parcel/parcels.ts";

const SEALED = "0x5ea1ed" as Hex;
const STAKE = 10n ** 18n;

test("a provider that restarts refuses no reader that it had admitted", async (t) => {
  const chain = await startChain();
  t.after(() => chain.stop());
  const [requester, provider, steady, leaving] = [1, 2, 3, 4].map((index) => chain.market(index));
  assert.ok(requester && provider && steady && leaving);
  const [client, own, reader, former] = await Promise.all(
    [requester, provider, steady, leaving].map(({ account }) => newKeyring(account)),
  );
  assert.ok(client && own && reader && former);
  for (const [market, keys] of [
    [provider, own.publicKeys],
    [steady, reader.publicKeys],
    [leaving, former.publicKeys],
  ] as const) {
    await send(market, { kind: "publish", offer: someOffer({ keys }) });
    await send(market, { kind: "deposit", amount: STAKE });
  }
  const terms = someTerms(requester.account, provider.account, { validators: 2 });
  const id = requester.jobIdOf(terms);
  await send(requester, { kind: "post", terms, seedTip: requesterTip, sealed: SEALED });
  await send(provider, { kind: "accept", job: await provider.job(id) });

  const folder = await temporaryFolder(t);
  const [result, report, bundle, kept] = await Promise.all(
    ["result", "report", "bundle", "kept"].map((name) => makeBlob(folder, 1000, name)),
  );
  assert.ok(result && report && bundle && kept);
  const transport = createDirectTransport({ listenHost: "127.0.0.1" });
  t.after(() => transport.stop());
  const identity = await transport.newIdentity();
  const sessionKey = random32();
  const book = openJournal(join(folder, "journal.db"));
  t.after(() => book.close());
  const journal = book.open("provider", id);
  const material = {
    accepted: {
      locator: { mask: random32() },
      bundle: { requester: client.publicKeys, blob: bundle, kept: [{ blob: kept }] },
    },
    packed: {
      result: { blob: result, sessionKey },
      report: { blob: report, sessionKey: random32() },
      reportShare: random32(),
      seedSecret: random32(),
      measurement: { digest: random32(), score: 950_000_000n, salt: random32() },
      identity,
    },
    policy: { appeal: "never", keepResults: 0 },
  } as unknown as Parameters<typeof deliver>[3];
  /** Delivers until `signal` aborts, which stands for a crash. */
  const run = async (through: Transport, signal: AbortSignal) => {
    const context = {
      market: provider,
      account: provider.account,
      transport: through,
      keyring: own,
      reporter: { emit: () => undefined },
    } as unknown as Parameters<typeof deliver>[0];
    const job = await provider.job(id);
    const hosting = hostResult(context, { job, ...material, identity }, { signal });
    return deliver(context, journal, job, { ...material, hosting }, { signal });
  };
  const endpointOf = (...fingerprints: Hex[]) =>
    endpointFor(identity.endpoint, client.publicKeys.fingerprint, ...fingerprints);
  const ofReader = endpointOf(reader.publicKeys.fingerprint);

  const crash = new AbortController();
  const firstLife = run(transport, crash.signal);
  for await (const job of requester.follow(id)) {
    if (job.state === "Validating") break;
    if (job.state !== "Submitted") continue;
    const validators = [steady, leaving].map(({ account }) => ({ address: account, sealed: SEALED }));
    await send(requester, { kind: "appoint", job, validators });
  }
  const waits = { signal: AbortSignal.timeout(60_000) };
  assert.equal(await awaitCapsule({ transport, keyring: reader }, ofReader, result.root, waits), sessionKey);
  crash.abort();
  await assert.rejects(firstLife);
  await send(leaving, { kind: "abstain", job: await leaving.job(id), reason: "no time" });

  const fetchAt = async (endpoint: typeof ofReader, root = result.root) => {
    const path = join(folder, "fetched");
    await rm(path, { force: true });
    return transport.fetch({ endpoint, root, path, maxBytes: 1000 });
  };
  const end = new AbortController();
  const fetched = Promise.withResolvers<void>();
  /** Readers fetch as soon as the address answers, before the provider continues. */
  const host: Transport["host"] = async (request, options) => {
    const hosting = await transport.host(request, options);
    const fetchAll = async () => {
      await fetchAt(endpointOf());
      await fetchAt(ofReader);
      // A drawn validator has bundle and kept inputs from the provider alone.
      for (const { root } of [bundle, kept]) await fetchAt(ofReader, root);
      await assert.rejects(fetchAt(endpointOf(former.publicKeys.fingerprint)), code("TRANSFER_FORBIDDEN"));
    };
    await fetchAll().then(fetched.resolve, fetched.reject);
    return hosting;
  };
  const secondLife = run({ ...transport, host }, end.signal);
  secondLife.catch(fetched.reject);
  await fetched.promise.finally(() => end.abort());
  await assert.rejects(secondLife);
});
