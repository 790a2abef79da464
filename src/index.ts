/**
 * ichain for programs: what `import … from "ichain"` has. docs/sdk.md shows it at work.
 * @module
 */
export type {
  Client,
  FederatedJobShown,
  JobQuote,
  JobShown,
  OpenedResult,
  PostedJob,
  RunningDaemon,
} from "./client/client.ts";
export { createClient } from "./client/create.ts";
export type { FollowedEvent } from "./client/events.ts";
export type {
  ClientOptions,
  GetChoice,
  JobChoice,
  MatrixChoice,
  ProviderFilter,
  SubmitChoice,
  WorkChoice,
} from "./client/options.ts";
export type { CallOptions } from "./client/run.ts";
export type { CommandName, OutputOf } from "./commands/output/all.ts";
export type { LiveEvent } from "./control/messages.ts";
export type { ErrorCode } from "./errors/catalogue.ts";
export { IchainError, isIchainError } from "./errors/error.ts";
