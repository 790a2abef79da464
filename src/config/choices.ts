/** What settings choose from; apart from the schema, so that reading a command line does not load zod. */

/** Where tasks run: on this machine's Docker engine, on several engines, on a Swarm, or in Kubernetes. */
export const engines = ["local", "pool", "swarm", "kubernetes"] as const;
export type EngineKind = (typeof engines)[number];

/** From the fewest lines to the most. */
export const logLevels = ["error", "warn", "info", "debug"] as const;

/** What `ichain new` makes: the folders of templates/, each of which runs at once. */
export const templates = {
  sklearn: "train a model with scikit-learn",
  torch: "train a network with PyTorch",
  finetune: "go on from a trained model that the job brings",
  federated: "play a federated job in one process",
} as const;

/** Where public data is fetched from: a trustless gateway's URL, or a node's multiaddress. */
export const CONTENT_SOURCE = /^(https?:\/\/[^\s?#]{1,2000}|\/(ip4|ip6|dns4|dns6|dns)\/\S{1,500})$/;
