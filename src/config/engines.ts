/** Where tasks run: on this machine's Docker engine, or on a Swarm that it manages. */
export const engines = ["local", "swarm"] as const;
export type EngineKind = (typeof engines)[number];
