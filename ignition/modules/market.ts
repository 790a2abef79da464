import { buildModule } from "@nomicfoundation/ignition-core";
import { DEFAULT_COOLDOWN, DEFAULT_POOL_STAKE } from "../../src/chain/deploy.ts";

/** The whole market: the escrow, which brings registry and rating with it. */
export default buildModule("Market", (m) => {
  const poolStake = m.getParameter("poolStake", DEFAULT_POOL_STAKE);
  const cooldown = m.getParameter("cooldown", BigInt(DEFAULT_COOLDOWN));
  const escrow = m.contract("JobEscrow", [poolStake, cooldown]);
  const registry = m.contractAt("ProviderRegistry", m.staticCall(escrow, "registry"));
  const rating = m.contractAt("ProviderRating", m.staticCall(escrow, "rating"));
  return { escrow, registry, rating };
});
