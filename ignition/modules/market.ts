import { buildModule } from "@nomicfoundation/ignition-core";
import { DEFAULT_COOLDOWN, DEFAULT_POOL_STAKE } from "../../src/chain/deploy.ts";

/**
 * The whole market, in the order of `creationsOf`. `escrowAddress` and `federatedAddress` follow from the deployer's
 * nonce before the first of them: an escrow reverts at any other address.
 */
export default buildModule("Market", (m) => {
  const poolStake = m.getParameter("poolStake", DEFAULT_POOL_STAKE);
  const cooldown = m.getParameter("cooldown", BigInt(DEFAULT_COOLDOWN));
  const escrows = [m.getParameter<string>("escrowAddress"), m.getParameter<string>("federatedAddress")];
  const rating = m.contract("ProviderRating", [escrows]);
  const registry = m.contract("ProviderRegistry", [rating, escrows, poolStake, cooldown]);
  const exceptions = m.contract("JobExceptions", [registry, rating]);
  const escrow = m.contract("JobEscrow", [registry, rating, exceptions]);
  const federatedExceptions = m.contract("FederatedExceptions", [registry, rating], { after: [escrow] });
  const federated = m.contract("FederatedEscrow", [registry, rating, federatedExceptions]);
  return { escrow, exceptions, registry, rating, federated, federatedExceptions };
});
