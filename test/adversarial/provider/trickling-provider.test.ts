import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { advance } from "../../../src/roles/job/requester/advance.ts";
import { draftOf } from "../../../src/roles/job/requester/posting/draft.ts";
import { random32 } from "../../support/chain/terms.ts";
import {
  acceptJob,
  enlist,
  newActor,
  newJob,
  startParties,
  submitJob,
} from "../../support/market/parties.ts";
import { makeBlob } from "../../support/parcel/blob.ts";
import { startHostileHost } from "../../support/pieces/hostile-host.ts";

const waits = { signal: AbortSignal.timeout(120_000) };

test("a provider that trickles its result does not keep its requester beyond the window", async (context) => {
  const { t, chain, requester, provider } = await startParties(context);
  const validator = await newActor(t, chain, 3);
  await enlist(validator);
  const id = await newJob(requester, provider, { validators: [validator] });
  const draft = draftOf(requester.journal.open("requester", id))!;
  const accepted = await acceptJob(provider, id);
  const result = await makeBlob(provider.home, 16 * 2 ** 20, "result");
  const asked = Promise.withResolvers<{ closed: Promise<unknown> }>();
  const report = { root: random32() };
  const host = await startHostileHost(context, result, ({ kind, request, response, range, body }) => {
    // Its run report never comes.
    if (request.url!.includes(report.root.slice(2))) return true;
    if (kind !== "data") return false;
    response.writeHead(206, {
      "Content-Range": `bytes ${range.first}-${range.last}/${result.size}`,
      "Content-Length": body.length,
    });
    let at = 0;
    const drop = setInterval(() => {
      response.write(body.subarray(at, at + 1024));
      at += 1024;
    }, 100);
    response.on("close", () => clearInterval(drop));
    asked.resolve({ closed: once(response, "close") });
    return true;
  });
  const made = { result, report, endpoint: host.endpoint, sessionKey: random32() };
  await submitJob(provider, accepted, { draft, requester, ...made });
  const carrying = advance(requester, id, {}, waits);
  const { closed } = await asked.promise;
  const { appoint, claim } = accepted.terms.windows;
  await chain.node.increaseTime(appoint + 1);
  await closed;
  // Nor does the provider have validators drawn: it has missed its turn as well.
  await chain.node.increaseTime(claim + 1);
  assert.equal((await carrying).state, "Refunded");
});
