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
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, "must be lower-case letters, digits and dashes"),
  chainId: z.number().int().positive().max(Number.MAX_SAFE_INTEGER),
  rpcUrl: url,
  /** More nodes of the same chain; a quorum of all decides (docs/limits.md). */
  rpcUrls: z.array(url).max(8).optional(),
  contracts: z.strictObject({
    escrow: address,
    registry: address,
    rating: address,
    /** The block they were deployed in, from which the index starts. */
    block: z.number().int().nonnegative().optional(),
  }),
  /** Blocks on top of an event, itself counted, before it is acted on. */
  confirmations: z.number().int().min(1).max(1000).default(3),
  /** Milliseconds between two polls of the chain. */
  pollMs: z.number().int().min(50).max(60_000).default(2000),
  /** torrc lines of a private Tor network, or a path to a file of them. */
  torrc: z.string().max(65_536).optional(),
});
export type NetworkConfig = z.infer<typeof networkSchema>;

/** Upper bounds of any task on this machine; a provider's policy only tightens them. */
const sandboxSchema = z.strictObject({
  leastTier: z.enum(tiers).default("runc"),
  cpus: z
    .number()
    .positive()
    .max(4096)
    .default(() => availableParallelism()),
  memoryBytes: z
    .number()
    .int()
    .min(16 * 2 ** 20)
    .max(2 ** 50)
    .default(() => Math.floor(totalmem() * 0.75)),
  diskBytes: z
    .number()
    .int()
    .min(2 ** 20)
    .max(2 ** 50)
    .default(20 * GIB),
  wallSeconds: z
    .number()
    .int()
    .min(1)
    .max(30 * 86_400)
    .default(86_400),
  pids: z.number().int().min(16).max(65_536).default(512),
  logBytes: z
    .number()
    .int()
    .min(4096)
    .max(GIB)
    .default(8 * 2 ** 20),
});

const swarmSchema = z.strictObject({
  /** Every node reaches the home folder at the same path; otherwise tasks stay on this machine. */
  shared: z.boolean().default(false),
  /** Placement constraints in Swarm's words: `node.labels.jobs==yes`. */
  constraints: z
    .array(z.string().regex(/^[a-z0-9._-]{1,128}\s*(==|!=)\s*[\w.-]{1,128}$/i))
    .max(16)
    .default([]),
});

/** Upper bounds of the price of gas, whatever the chain's node suggests. */
const feesSchema = z.strictObject({
  maxGwei: z.number().positive().max(1e9).default(1000),
  /** A multiple of the median that recent transactions paid. */
  timesMedian: z.number().min(1).max(1e6).default(10),
});

const pem = z.string().startsWith("/").max(4096);
const engineName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/);

/** One Docker engine of a pool: on this machine, over ssh, or over TLS with files of certificates. */
const poolEntrySchema = z.union([
  z.strictObject({
    name: engineName,
    url: z
      .string()
      .max(4096)
      .regex(/^unix:\/\/\//, "must begin with unix:///"),
  }),
  z.strictObject({
    name: engineName,
    // No leading dash, which ssh would read as a flag.
    url: z
      .string()
      .regex(
        /^ssh:\/\/([a-z_][\w.-]{0,63}@)?[a-z0-9][a-z0-9.-]{0,253}(:\d{1,5})?$/i,
        "must be ssh://user@host:port",
      ),
  }),
  z.strictObject({
    name: engineName,
    url: z.string().regex(/^tcp:\/\/[a-z0-9][a-z0-9.-]{0,253}(:\d{1,5})?$/i, "must be tcp://host:port"),
    ca: pem,
    cert: pem,
    key: pem,
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
  /** Each hosting, over all its readers. */
  bytesPerSecond: rate,
  /** Each reader of it. */
  readerBytesPerSecond: rate,
});

/** What the daemons `ichain provide` and `ichain validate` write of their work. */
const logSchema = z.strictObject({
  level: z.enum(logLevels).default("info"),
  /** Absolute, or relative to the home folder. */
  file: z.string().min(1).max(4096).default("logs/ichain.log"),
});

/** How long finished jobs are kept. Unfinished ones, and results that were not opened, are always kept. */
const keepSchema = z.strictObject({
  /** Days that the log of a finished job stays. */
  logDays: z.number().int().min(0).max(36_500).default(30),
  /** Bytes of the logs of finished jobs together; the oldest go first. */
  logBytes: z
    .number()
    .int()
    .min(0)
    .max(2 ** 50)
    .default(2 ** 28),
  /** Days that the record of a finished job stays. */
  recordDays: z.number().int().min(1).max(36_500).default(365),
  /** Days that a result's encrypted copy stays once it was opened, for a second `get`. */
  resultDays: z.number().int().min(0).max(36_500).default(7),
});

const dnsName = z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/);

/** A Kubernetes cluster, as the kubeconfig of this machine names it. */
const kubernetesSchema = z.strictObject({
  /** Of the kubeconfig; its current one when left out. */
  context: z.string().min(1).max(253).optional(),
  namespace: dnsName.default("ichain"),
  /** The PersistentVolumeClaim that this machine has mounted at `root`, with the home folder on it. */
  claim: dnsName,
  root: z.string().startsWith("/").max(4096),
  runtimeClass: dnsName.optional(),
  images: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/),
        digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
        /** Where the nodes pull it from, by digest. */
        reference: z.string().regex(/^[a-z0-9][a-z0-9./:_-]{0,511}@sha256:[0-9a-f]{64}$/),
      }),
    )
    .max(16)
    .default([]),
});

export const fileSchema = z.strictObject({
  /** The role of this machine, by which `ichain doctor` judges its findings. */
  role: z.enum(["requester", "provider", "validator"]).optional(),
  /** When this account's own jobs are validated, and how it checks those that are not. */
  audit: auditPolicySchema.prefault({}),
  /** Inline, or the name of a file in networks/, or a path. */
  network: z.union([z.string().min(1).max(4096), networkSchema]).optional(),
  fees: feesSchema.prefault({}),
  transport: z.enum(["onion", "direct"]).default("onion"),
  /** Where the direct transport listens and is announced: this machine's address on its private network. */
  direct: z
    .strictObject({
      address: z.union([z.ipv4(), z.ipv6()]).default("127.0.0.1"),
      /** Where others' locators may lead, as CIDR; the network that the address's interface is on by default. */
      networks: z
        .array(z.union([z.cidrv4(), z.cidrv6()]))
        .min(1)
        .max(64)
        .optional(),
    })
    .prefault({}),
  /** Parcels that GnuPG decrypts by hand: older cryptography, slower; every party of a job must set it. */
  compatibility: z.enum(["gpg"]).optional(),
  hosting: hostingSchema.prefault({}),
  keep: keepSchema.prefault({}),
  log: logSchema.prefault({}),
  tor: z
    .strictObject({
      binary: z.string().min(1).max(4096).default("tor"),
      networkTorrc: z.string().max(65_536).optional(),
    })
    .prefault({}),
  docker: z.strictObject({ socketPath: z.string().startsWith("/").max(4096).optional() }).prefault({}),
  engine: z.enum(engines).default("local"),
  swarm: swarmSchema.prefault({}),
  /** The Docker engines of `engine: pool`. */
  pool: poolSchema.default([]),
  kubernetes: kubernetesSchema.optional(),
  sandbox: sandboxSchema.prefault({}),
});
export type FileConfig = z.infer<typeof fileSchema>;
