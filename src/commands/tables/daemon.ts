import type { CommandDeclaration } from "../framework/declaration.ts";

/** Commands about daemons that were left running: `provide`, `validate` and `serve`. */
export const daemonCommands: readonly CommandDeclaration[] = [
  {
    name: "status",
    group: "Look after daemons",
    summary: "show the daemons of this home: jobs, health, warnings",
    examples: ["ichain status", "ichain status --json"],
    load: () => import("../daemon/status.ts"),
  },
  {
    name: "drain",
    group: "Look after daemons",
    summary: "let the daemons of this home end their jobs, take no more, and stop",
    options: [{ flags: "--wait", summary: "stay until they have stopped" }],
    examples: ["ichain drain", "ichain drain --wait"],
    load: () => import("../daemon/drain.ts"),
  },
  {
    name: "reload",
    group: "Look after daemons",
    summary: "let the daemon read its policy file again; one that is wrong changes nothing",
    examples: ["ichain reload"],
    load: () => import("../daemon/reload.ts"),
  },
];
