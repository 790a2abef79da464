/** Where tasks run: on this machine's Docker engine, on several engines, or on a Swarm that it manages. */
export const engines = ["local", "pool", "swarm"] as const;
export type EngineKind = (typeof engines)[number];
