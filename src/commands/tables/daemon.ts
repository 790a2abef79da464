import type { CommandDeclaration, OptionDeclaration } from "../framework/declaration.ts";
import { date, integer } from "../framework/parse.ts";

/** Of the commands that leave a daemon running: have systemd run it. */
export const serviceOptions: readonly OptionDeclaration[] = [
  {
    flags: "--install-service",
    summary: "write a systemd unit that runs this command, and say how to start it (docs/operating.md)",
  },
  { flags: "--print", summary: "with --install-service: show the unit, and write nothing" },
  { flags: "--force", summary: "with --install-service: replace a unit that differs" },
];

/** Commands about daemons that were left running: `provide`, `validate` and `serve`. */
export const daemonCommands: readonly CommandDeclaration[] = [
  {
    name: "status",
    group: "Look after daemons",
    summary: "show the daemons of this home: jobs, health, warnings",
    options: [
      { flags: "--check", summary: "fail where no daemon runs, or one lacks something: for a supervisor" },
    ],
    examples: ["ichain status", "ichain status --json", "ichain status --check"],
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
  {
    name: "web",
    group: "Look after daemons",
    summary: "serve a page to the browser on this machine: jobs, market, work, and what to do; until Ctrl-C",
    options: [
      {
        flags: "--port <n>",
        summary: "of 127.0.0.1; 0 is any that is free",
        default: 0,
        parse: integer(0, 65_535),
      },
    ],
    examples: ["ichain web", "ichain web --port 8420"],
    load: () => import("../web/web.ts"),
  },
  {
    name: "earnings",
    group: "Look after daemons",
    summary: "list what work as provider and validator was paid, what was slashed, and the gas",
    options: [
      { flags: "--since <date>", summary: "only jobs that ended on that day or later (UTC)", parse: date },
      { flags: "--csv", summary: "as comma-separated values, for a spreadsheet" },
    ],
    examples: ["ichain earnings", "ichain earnings --since 2026-11-01 --csv"],
    load: () => import("../daemon/earnings.ts"),
  },
  {
    name: "support-bundle",
    group: "Look after daemons",
    summary:
      "put versions, settings, states and logs, without secrets, into a file to send when something is wrong",
    options: [
      {
        flags: "-o, --out <file>",
        summary: "a .tar.gz that is not there yet; named after the time when absent",
      },
      {
        flags: "--policy <file>",
        summary: "the daemon's policy; policy.yaml in the home folder when absent",
      },
    ],
    examples: ["ichain support-bundle", "ichain support-bundle --out report.tar.gz"],
    load: () => import("../daemon/support-bundle.ts"),
  },
];
