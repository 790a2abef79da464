// Two gossip peers in a process that is killed: both keep their state in the folder that is named, and every block that
// is on disk is told.
import { join } from "node:path";
import { id, SigningKey } from "ethers";
import { openPeerStore } from "../../src/gossip/store.ts";
import { GossipPeer } from "../../src/protocol/gossip/peer/peer.ts";
import type { Effect } from "../../src/protocol/gossip/peer/state.ts";
import { recordChecker, recordSigner } from "../../src/protocol/gossip/records/signatures.ts";
import { halfFedAvg } from "../../src/protocol/gossip/rules/half-fedavg.ts";
import { gossipSettingsSchema } from "../../src/protocol/gossip/settings.ts";
import type { Hex } from "../../src/protocol/ids.ts";
import { genesis, network } from "../protocol/gossip/support.ts";

const [folder, start] = [process.argv[2]!, Number(process.argv[3])];
const peers = ["a", "b"].map((name) => {
  const store = openPeerStore(join(folder, `${name}.db`), genesis);
  const peer = new GossipPeer({
    genesis: network,
    signer: recordSigner(network, new SigningKey(id(name))),
    checker: recordChecker(network),
    settings: gossipSettingsSchema.parse({ transactions: 2, expire: 5, patience: 1, resend: 1 }),
    rule: halfFedAvg,
    state: store.state(),
  });
  return { name, store, peer };
});
for (const { peer } of peers) peer.meet(peers.map(({ peer: { account } }) => account));

function act({ name, store, peer }: (typeof peers)[number], effects: readonly Effect[], now: number): void {
  const kept = effects.flatMap((effect) => (effect.kind === "keep" ? [effect.kept] : []));
  store.keep(kept);
  for (const one of kept)
    if (one.kind === "final") process.stdout.write(`${name} ${one.final.block.height}\n`);
  for (const effect of effects) {
    if (effect.kind === "measure")
      act({ name, store, peer }, peer.measured(effect.transaction, 0.5, now), now);
    if (effect.kind !== "send") continue;
    for (const to of effect.to) {
      const other = peers.find(({ peer: { account } }) => account === to)!;
      act(other, other.peer.receive(peer.account, effect.message, now), now);
    }
  }
}

for (let now = start; ; now++) {
  for (const one of peers) {
    act(one, one.peer.publish({ model: id(`${one.name} ${now}`) as Hex, bytes: 1 }, now), now);
    act(one, one.peer.tick(now), now);
  }
}
