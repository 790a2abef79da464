import type { Config } from "./config.ts";
import type { Ui } from "./ui/ui.ts";

/** What a command, a daemon and `compose.ts` are given; nothing else is global. */
export interface AppContext {
  readonly config: Config;
  /** Aborts at SIGINT and SIGTERM: leave a state that `ichain resume` continues. */
  readonly signal: AbortSignal;
  readonly ui: Ui;
}
