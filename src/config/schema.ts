import { availableParallelism, totalmem } from "node:os";
import { z } from "zod";
import { type Address, isAddress } from "../protocol/ids.ts";
import { tiers } from "../protocol/offer.ts";
import { auditPolicySchema } from "../protocol/policy/audit.ts";
import { engines, logLevels } from "./choices.ts";

const address = z.custom<Address>(isAddress, "must be an address: 0x and 40 hexadecimal digits");
const GIB = 2 ** 30;

const url = z
  .string()
  .max(2048)
  .refine(
    (text) => /^https?:\/\//.test(text) && URL.canParse(text),
    "must be an http:// or https:// address",
  );

/** A chain, the market's contracts on it, and the Tor network that belongs to it when it is private. */
export const networkSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, "must be lower-case letters, digits and dashes")
    .describe("the network's name"),
  chainId: z
    .number()
    .int()
    .positive()
    .max(Number.MAX_SAFE_INTEGER)
    .describe("the chain's id, which the nodes must confirm"),
  rpcUrl: url.describe("a node of the chain"),
  rpcUrls: z
    .array(url)
    .max(8)
    .optional()
    .describe("more nodes of the same chain; what enough of them say counts (docs/limits.md)"),
  contracts: z
    .strictObject({
      escrow: address.describe("address of JobEscrow"),
      registry: address.describe("address of ProviderRegistry"),
      rating: address.describe("address of ProviderRating"),
      block: z
        .number()
        .int()
        .nonnegative()
        .optional()
        .describe("block that they were deployed in, where the index begins"),
    })
    .describe("the market's contracts"),
  confirmations: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(3)
    .describe("blocks from an event's own up to the newest, both counted, before it is acted on"),
  pollMs: z
    .number()
    .int()
    .min(50)
    .max(60_000)
    .default(2000)
    .describe("milliseconds between two reads of the chain's head"),
  torrc: z
    .string()
    .max(65_536)
    .optional()
    .describe("torrc lines of a private Tor network, or the path of a file of them"),
});
export type NetworkConfig = z.infer<typeof networkSchema>;

/** Upper bounds of any task on this machine; a provider's policy only tightens them. */
const sandboxSchema = z.strictObject({
  leastTier: z.enum(tiers).default("runc").describe("weakest isolation that a task may run in here"),
  cpus: z
    .number()
    .positive()
    .max(4096)
    .default(() => availableParallelism())
    .describe("CPUs of one task, at most")
    .meta({ usually: "all CPUs" }),
  memoryBytes: z
    .number()
    .int()
    .min(16 * 2 ** 20)
    .max(2 ** 50)
    .default(() => Math.floor(totalmem() * 0.75))
    .describe("memory of one task, at most")
    .meta({ usually: "three quarters of the memory" }),
  diskBytes: z
    .number()
    .int()
    .min(2 ** 20)
    .max(2 ** 50)
    .default(20 * GIB)
    .describe("bytes that one task may write, at most"),
  wallSeconds: z
    .number()
    .int()
    .min(1)
    .max(30 * 86_400)
    .default(86_400)
    .describe("seconds that one run may take, at most"),
  pids: z
    .number()
    .int()
    .min(16)
    .max(65_536)
    .default(512)
    .describe("processes and threads of one task, at most"),
  logBytes: z
    .number()
    .int()
    .min(4096)
    .max(GIB)
    .default(8 * 2 ** 20)
    .describe("bytes of output kept of one run, at most"),
});

const swarmSchema = z.strictObject({
  shared: z
    .boolean()
    .default(false)
    .describe("every node reaches the home folder at the same path; otherwise tasks stay on this machine"),
  constraints: z
    .array(z.string().regex(/^[a-z0-9._-]{1,128}\s*(==|!=)\s*[\w.-]{1,128}$/i))
    .max(16)
    .default([])
    .describe("placement constraints in Swarm's words: `node.labels.jobs==yes`"),
});

/** Upper bounds of the price of gas, whatever the chain's node suggests. */
const feesSchema = z.strictObject({
  maxGwei: z
    .number()
    .positive()
    .max(1e9)
    .default(1000)
    .describe("gwei that a unit of gas may cost at most, whatever the chain's node asks for"),
  timesMedian: z
    .number()
    .min(1)
    .max(1e6)
    .default(10)
    .describe("the same as a multiple of what recent transactions paid in the median"),
});

const pem = z.string().startsWith("/").max(4096);
const engineName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/);

/** One Docker engine of a pool: on this machine, over ssh, or over TLS with files of certificates. */
const poolEntrySchema = z.union([
  z.strictObject({
    name: engineName.describe("the engine's name in messages"),
    url: z
      .string()
      .max(4096)
      .regex(/^unix:\/\/\//, "must begin with unix:///")
      .describe("`unix:///…`, `ssh://user@host:port`, or `tcp://host:port` with certificates"),
  }),
  z.strictObject({
    name: engineName.describe("the engine's name in messages"),
    // No leading dash, which ssh would read as a flag.
    url: z
      .string()
      .regex(
        /^ssh:\/\/([a-z_][\w.-]{0,63}@)?[a-z0-9][a-z0-9.-]{0,253}(:\d{1,5})?$/i,
        "must be ssh://user@host:port",
      )
      .describe("`unix:///…`, `ssh://user@host:port`, or `tcp://host:port` with certificates"),
  }),
  z.strictObject({
    name: engineName.describe("the engine's name in messages"),
    url: z
      .string()
      .regex(/^tcp:\/\/[a-z0-9][a-z0-9.-]{0,253}(:\d{1,5})?$/i, "must be tcp://host:port")
      .describe("`unix:///…`, `ssh://user@host:port`, or `tcp://host:port` with certificates"),
    ca: pem.describe("absolute path of the authority's certificate, PEM"),
    cert: pem.describe("absolute path of the client's certificate, PEM"),
    key: pem.describe("absolute path of the client's key, PEM"),
  }),
]);
export type PoolEntry = z.infer<typeof poolEntrySchema>;

const poolSchema = z
  .array(poolEntrySchema)
  .max(64)
  .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, "must have different names");

const rate = z
  .number()
  .int()
  .min(64 * 1024)
  .max(2 ** 40)
  .optional();

/** Bandwidth limits of hosted parcels, bytes per second. */
const hostingSchema = z.strictObject({
  bytesPerSecond: rate.describe("most that each hosting sends, over all its readers"),
  readerBytesPerSecond: rate.describe("most that each reader of it gets"),
});

/** What the daemons `ichain provide` and `ichain validate` write of their work. */
const logSchema = z.strictObject({
  level: z.enum(logLevels).default("info").describe("least severe level that daemons write"),
  file: z
    .string()
    .min(1)
    .max(4096)
    .default("logs/ichain.log")
    .describe("the daemons' log, below the home folder unless absolute"),
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
    .describe("days that a finished job is remembered"),
  resultDays: z
    .number()
    .int()
    .min(0)
    .max(36_500)
    .default(7)
    .describe("days that a result's encrypted copy stays once it was opened, for a second `get`"),
});

const dnsName = z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/);

/** A Kubernetes cluster, as the kubeconfig of this machine names it. */
const kubernetesSchema = z.strictObject({
  context: z.string().min(1).max(253).optional().describe("of the kubeconfig; its current one when left out"),
  namespace: dnsName.default("ichain").describe("where jobs run"),
  claim: dnsName.describe(
    "the PersistentVolumeClaim that this machine has mounted at `root`, with the home folder on it",
  ),
  root: z.string().startsWith("/").max(4096).describe("where this machine has mounted the claim"),
  runtimeClass: dnsName.optional().describe("RuntimeClass of the pods"),
  images: z
    .array(
      z.strictObject({
        name: z
          .string()
          .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/)
          .describe("the runtime's name"),
        digest: z
          .string()
          .regex(/^sha256:[0-9a-f]{64}$/)
          .describe("its root-filesystem digest"),
        reference: z
          .string()
          .regex(/^[a-z0-9][a-z0-9./:_-]{0,511}@sha256:[0-9a-f]{64}$/)
          .describe("where the nodes pull it from, by digest"),
      }),
    )
    .max(16)
    .default([])
    .describe("images that the nodes can pull"),
});

export const fileSchema = z.strictObject({
  role: z
    .enum(["requester", "provider", "validator"])
    .optional()
    .describe("what this machine is for; `ichain doctor` weighs its findings by it"),
  audit: auditPolicySchema
    .prefault({})
    .describe("when this account's own jobs are validated, and how it checks those that are not"),
  network: z
    .union([z.string().min(1).max(4096), networkSchema])
    .optional()
    .describe("inline, the name of a file in networks/, or a path"),
  fees: feesSchema.prefault({}).describe("what gas may cost at most"),
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
          "where locators of others may lead, as CIDR; the network of the address's interface when left out",
        ),
    })
    .prefault({})
    .describe("the direct transport, for private networks"),
  compatibility: z
    .enum(["gpg"])
    .optional()
    .describe(
      "`gpg`: parcels that GnuPG decrypts by hand, with older cryptography, slower; every party of a job must set it",
    ),
  hosting: hostingSchema
    .prefault({})
    .describe(
      "bytes per second that hosted parcels may take of this machine's line; without a limit when left out",
    ),
  keep: keepSchema
    .prefault({})
    .describe("how long what is over is kept; what is unfinished, or not opened yet, always is"),
  log: logSchema.prefault({}).describe("what daemons write to their log"),
  tor: z
    .strictObject({
      binary: z.string().min(1).max(4096).default("tor").describe("its name or path"),
      networkTorrc: z
        .string()
        .max(65_536)
        .optional()
        .describe("torrc lines that lead tor to a private network, or the path of a file of them"),
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
        .describe("absolute path of its socket; as DOCKER_HOST says, or /var/run/docker.sock, when left out"),
    })
    .prefault({})
    .describe("the local Docker engine"),
  engine: z.enum(engines).default("local").describe("what runs tasks (docs/engines.md)"),
  swarm: swarmSchema.prefault({}).describe("for `engine: swarm`"),
  pool: poolSchema.default([]).describe("the Docker engines of `engine: pool`"),
  kubernetes: kubernetesSchema.optional().describe("for `engine: kubernetes`"),
  sandbox: sandboxSchema
    .prefault({})
    .describe("what any task may use here at most; a policy only tightens it"),
});
export type FileConfig = z.infer<typeof fileSchema>;
