import { ofCoalitions } from "./coalition.ts";
import { ofPartialPay } from "./partial-pay.ts";
import { ofProviders } from "./provider.ts";
import { ofRequesters } from "./requester.ts";
import type { Strategy } from "./strategy.ts";
import { ofValidators } from "./validator.ts";

export const strategies: readonly Strategy[] = [
  ...ofRequesters,
  ...ofProviders,
  ...ofValidators,
  ...ofCoalitions,
  ...ofPartialPay,
];
