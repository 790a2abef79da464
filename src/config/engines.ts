/** Where tasks run: on this machine's Docker engine, on several engines, on a Swarm, or in Kubernetes. */
export const engines = ["local", "pool", "swarm", "kubernetes"] as const;
export type EngineKind = (typeof engines)[number];
