import { z } from "zod";
import { avoidSchema, budgetSchema } from "../protocol/budget.ts";
import { auditPolicySchema } from "../protocol/policy/audit.ts";
import { bytesSchema } from "../protocol/quantity.ts";
import { CONTENT_SOURCE, engines, logLevels } from "./choices.ts";
import { kubernetesSchema, poolSchema, sandboxSchema, swarmSchema } from "./engine-schemas.ts";
import { networkSchema } from "./network-schema.ts";

/** Upper bounds of the price of gas, whatever the chain's node suggests. */
const feesSchema = z.strictObject({
  maxGwei: z.number().positive().max(1e9).default(1000).describe("most that a unit of gas may cost, gwei"),
  timesMedian: z
    .number()
    .min(1)
    .max(1e6)
    .default(10)
    .describe("most that it may cost, as a multiple of the median that recent transactions paid"),
});

const rate = z
  .number()
  .int()
  .min(64 * 1024)
  .max(2 ** 40)
  .optional();

/** Bandwidth limits of hosted parcels, bytes per second. */
const hostingSchema = z.strictObject({
  bytesPerSecond: rate.describe(
    "bytes per second of each hosting, over all its readers; no limit when unset",
  ),
  readerBytesPerSecond: rate.describe("bytes per second of each reader; no limit when unset"),
});

/** What the daemons `ichain provide` and `ichain validate` write of their work. */
const logSchema = z.strictObject({
  level: z
    .enum(logLevels)
    .default("info")
    .describe("the least level that `ichain provide` and `ichain validate` log"),
  file: z
    .string()
    .min(1)
    .max(4096)
    .default("logs/ichain.log")
    .describe("absolute, or relative to the home folder; older files beside it end in .1 to .4"),
});

const port = z.number().int().min(1024).max(65_535).optional();

/** Where a daemon says over HTTP how it is: on loopback alone, to every user of this machine. */
const metricsSchema = z.strictObject({
  port: port.describe("of 127.0.0.1, for `ichain provide` and `ichain validate`; none when unset"),
  servePort: port.describe("of 127.0.0.1, for `ichain serve`; none when unset"),
});

/** How the owner of a daemon is told what became of a job, and what it lacks. */
const notifySchema = z.strictObject({
  command: z
    .array(z.string().min(1).max(4096))
    .min(1)
    .max(64)
    .optional()
    .describe(
      "a program and its arguments, which gets each notification as a JSON line on its standard input",
    ),
  webhook: z
    .url({ protocol: /^https?$/ })
    .max(4096)
    .optional()
    .describe("an address to which each notification is posted as JSON"),
  through: z
    .enum(["direct", "tor"])
    .default("direct")
    .describe(
      "`tor`: the webhook is reached through a tor of the daemon's own, and the command is given its port in `ALL_PROXY` and the like, which it has to heed; nothing is sent without it",
    ),
});

/** How much of the disk a daemon's home may hold. */
const diskSchema = z.strictObject({
  limit: bytesSchema
    .optional()
    .describe(
      "bytes of everything in the home folder, `200 GiB`; a job that would go beyond it is declined (`DISK_BUDGET`), after inputs kept for later jobs were dropped. No limit when unset",
    ),
});

/** How long finished jobs are kept. Unfinished ones, and results that were not opened, are always kept. */
const keepSchema = z.strictObject({
  logDays: z
    .number()
    .int()
    .min(0)
    .max(36_500)
    .default(30)
    .describe("days that the log of a finished job stays"),
  logBytes: z
    .number()
    .int()
    .min(0)
    .max(2 ** 50)
    .default(2 ** 28)
    .describe("bytes of the logs of finished jobs together; the oldest go first"),
  recordDays: z
    .number()
    .int()
    .min(1)
    .max(36_500)
    .default(365)
    .describe("days that the record of a finished job stays"),
  resultDays: z
    .number()
    .int()
    .min(0)
    .max(36_500)
    .default(7)
    .describe("days that a result's encrypted copy stays after it was opened, for a second `get`"),
});

export const fileSchema = z.strictObject({
  role: z
    .enum(["requester", "provider", "validator"])
    .optional()
    .describe("what this machine is for; `ichain doctor` judges its findings by it"),
  audit: auditPolicySchema
    .prefault({})
    .describe("when this account's own jobs are validated, and how it checks those that are not"),
  avoid: avoidSchema
    .default([])
    .describe("accounts that do not get this home's jobs, as provider or as validator of its choice"),
  budgets: z
    .array(budgetSchema)
    .max(16)
    .default([])
    .describe(
      "what this home may lock in its own jobs (price and fees) and in data campaigns (the price of all rows, deposits, bonds, a panel's fees), without gas; what is above it, or in a token without a budget, is refused before anything is sent. What a campaign gives back counts on. Counted by the journal, from the moment that a job is packed: one that no provider has accepted yet counts as locked, and stops to count as soon as it is taken back, or posted again elsewhere. No limit when empty",
    ),
  network: z
    .union([z.string().min(1).max(4096), networkSchema])
    .optional()
    .describe("inline, or the name of a file in networks/, or a path"),
  fees: feesSchema
    .prefault({})
    .describe("upper bounds of the price of gas, whatever the chain's node suggests"),
  transport: z.enum(["onion", "direct"]).default("onion").describe("how parcels travel"),
  direct: z
    .strictObject({
      address: z
        .union([z.ipv4(), z.ipv6()])
        .default("127.0.0.1")
        .describe("where it listens and is announced: this machine's address on its private network"),
      networks: z
        .array(z.union([z.cidrv4(), z.cidrv6()]))
        .min(1)
        .max(64)
        .optional()
        .describe(
          "where locators of others may lead, as CIDR; by default the network of the address's interface",
        ),
    })
    .prefault({})
    .describe("the direct transport, for a private network"),
  compatibility: z
    .enum(["gpg"])
    .optional()
    .describe(
      "`gpg`: parcels that GnuPG decrypts by hand, with older cryptography, slower; every party of a job must set it",
    ),
  hosting: hostingSchema.prefault({}).describe("bandwidth limits of hosted parcels"),
  keep: keepSchema
    .prefault({})
    .describe(
      "how long finished jobs are kept; unfinished ones, and results that were not opened, always are",
    ),
  disk: diskSchema.prefault({}).describe("how much of the disk the home of a provider or validator may hold"),
  notify: notifySchema
    .prefault({})
    .describe(
      "how a daemon tells its owner that a job is `done`, has `failed`, `needs-you`, is `disputed` or was `slashed`, and that the account is `funds-low` or its disk `disk-full`",
    ),
  campaigns: z
    .strictObject({
      judge: z
        .array(z.string().min(1).max(4096))
        .min(1)
        .max(64)
        .optional()
        .describe(
          "a program and its arguments that votes for this validator on fixes in data campaigns (docs/campaigns.md); its owner does when unset",
        ),
      sources: z
        .array(
          z.string().regex(CONTENT_SOURCE, "must be a gateway (https://…) or a node's multiaddress (/ip4/…)"),
        )
        .max(16)
        .default([])
        .describe(
          "gateways and nodes that are asked for rows that are public by their CID, beside the blocks of this home",
        ),
    })
    .prefault({})
    .describe("data campaigns: how `ichain validate` votes in panels, and where public rows come from"),
  metrics: metricsSchema
    .prefault({})
    .describe(
      "ports at which the daemons serve `/metrics`, for Prometheus, and `/healthz` (docs/operating.md)",
    ),
  log: logSchema.prefault({}).describe("the log of the daemons"),
  tor: z
    .strictObject({
      binary: z.string().min(1).max(4096).default("tor").describe("a path, or a name on the PATH"),
      networkTorrc: z
        .string()
        .max(65_536)
        .optional()
        .describe("torrc lines of a private Tor network, or a path to a file of them"),
    })
    .prefault({})
    .describe("the tor program"),
  docker: z
    .strictObject({
      socketPath: z
        .string()
        .startsWith("/")
        .max(4096)
        .optional()
        .describe("its unix socket; from DOCKER_HOST, or /var/run/docker.sock, when unset"),
    })
    .prefault({})
    .describe("the local Docker engine"),
  recipes: z
    .array(z.string().min(1).max(4096))
    .max(16)
    .default([])
    .describe(
      "folders of own runtime recipes, `<folder>/<name>/recipe.yaml` (docs/runtimes.md); absolute, or relative to the home folder",
    ),
  engine: z.enum(engines).default("local").describe("where tasks run (docs/engines.md)"),
  swarm: swarmSchema.prefault({}).describe("for `engine: swarm`"),
  pool: poolSchema.default([]).describe("the Docker engines of `engine: pool`"),
  kubernetes: kubernetesSchema
    .optional()
    .describe("for `engine: kubernetes`: a cluster of this machine's kubeconfig"),
  sandbox: sandboxSchema
    .prefault({})
    .describe("upper bounds of any task on this machine; a provider's policy only tightens them"),
});
export type FileConfig = z.infer<typeof fileSchema>;
/** As it is written. */
export type WrittenConfig = z.input<typeof fileSchema>;
