import { test } from "node:test";
import { send, someOffer, startChain } from "../support/chain/chain.ts";

const COIN = 10n ** 18n;

test("a deposit that joins the pool has gas enough when another joined in the second of its estimate", async (t) => {
  const chain = await startChain();
  t.after(() => chain.stop());
  const [first, second] = [chain.market(1), chain.market(2)];
  for (const market of [first, second]) await send(market, { kind: "publish", offer: someOffer() });
  await send(first, { kind: "deposit", amount: COIN });
  const prepared = await second.prepare({ kind: "deposit", amount: COIN });
  await chain.node.increaseTime(2);
  await second.broadcast(prepared);
});
