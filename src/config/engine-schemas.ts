import { availableParallelism, totalmem } from "node:os";
import { z } from "zod";
import { gpuWays } from "../protocol/machine/gpus.ts";
import { tiers } from "../protocol/offer.ts";

const GIB = 2 ** 30;

/** Upper bounds of any task on this machine; a provider's policy only tightens them. */
export const sandboxSchema = z.strictObject({
  leastTier: z.enum(tiers).default("runc").describe("weakest isolation in which tasks run"),
  gpu: z
    .enum(gpuWays)
    .default("auto")
    .describe(
      "how tasks get this machine's GPUs: by NVIDIA's container toolkit, by device nodes, or by the toolkit where there is one (docs/engines.md)",
    ),
  cpus: z
    .number()
    .positive()
    .max(4096)
    .default(() => availableParallelism())
    .meta({ description: "CPUs of one task", usually: "all of this machine" }),
  memoryBytes: z
    .number()
    .int()
    .min(16 * 2 ** 20)
    .max(2 ** 50)
    .default(() => Math.floor(totalmem() * 0.75))
    .meta({ description: "memory of one task, bytes", usually: "three quarters of this machine's" }),
  diskBytes: z
    .number()
    .int()
    .min(2 ** 20)
    .max(2 ** 50)
    .default(20 * GIB)
    .describe("outputs of one task, bytes"),
  wallSeconds: z
    .number()
    .int()
    .min(1)
    .max(30 * 86_400)
    .default(86_400)
    .describe("longest run of one task, seconds"),
  pids: z.number().int().min(16).max(65_536).default(512).describe("processes of one task"),
  logBytes: z
    .number()
    .int()
    .min(4096)
    .max(GIB)
    .default(8 * 2 ** 20)
    .describe("stdout and stderr that are kept of one task, bytes"),
});

export const swarmSchema = z.strictObject({
  shared: z
    .boolean()
    .default(false)
    .describe(
      "true when every node reaches the home folder at the same path; otherwise tasks stay on this machine",
    ),
  constraints: z
    .array(z.string().regex(/^[a-z0-9._-]{1,128}\s*(==|!=)\s*[\w.-]{1,128}$/i))
    .max(16)
    .default([])
    .describe("placement constraints as Swarm writes them: `node.labels.jobs==yes`"),
});

const pem = z.string().startsWith("/").max(4096);
const engineName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,31}$/)
  .describe("what the engine is called");

/** One Docker engine of a pool: on this machine, over ssh, or over TLS with files of certificates. */
const poolEntrySchema = z.union([
  z.strictObject({
    name: engineName,
    url: z
      .string()
      .max(4096)
      .regex(/^unix:\/\/\//, "must begin with unix:///")
      .describe("unix:///path, ssh://user@host:port, or tcp://host:port with TLS"),
  }),
  z.strictObject({
    name: engineName,
    // No leading dash, which ssh would read as a flag.
    url: z
      .string()
      .regex(
        /^ssh:\/\/([a-z_][\w.-]{0,63}@)?[a-z0-9][a-z0-9.-]{0,253}(:\d{1,5})?$/i,
        "must be ssh://user@host:port",
      )
      .describe("unix:///path, ssh://user@host:port, or tcp://host:port with TLS"),
  }),
  z.strictObject({
    name: engineName,
    url: z
      .string()
      .regex(/^tcp:\/\/[a-z0-9][a-z0-9.-]{0,253}(:\d{1,5})?$/i, "must be tcp://host:port")
      .describe("unix:///path, ssh://user@host:port, or tcp://host:port with TLS"),
    ca: pem.describe("file of the TLS authority's certificate, PEM"),
    cert: pem.describe("file of our TLS certificate, PEM"),
    key: pem.describe("file of its private key, PEM"),
  }),
]);
export type PoolEntry = z.infer<typeof poolEntrySchema>;

export const poolSchema = z
  .array(poolEntrySchema)
  .max(64)
  .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, "must have different names");

const dnsName = z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/);

/** A Kubernetes cluster, as the kubeconfig of this machine names it. */
export const kubernetesSchema = z.strictObject({
  context: z.string().min(1).max(253).optional().describe("of the kubeconfig; its current one when unset"),
  namespace: dnsName.default("ichain").describe("where Jobs are made"),
  claim: dnsName.describe("PersistentVolumeClaim that this machine has mounted at `root`"),
  root: z
    .string()
    .startsWith("/")
    .max(4096)
    .describe("where the claim is mounted; the home folder lies below it"),
  runtimeClass: dnsName.optional().describe("of the pods; the cluster's default when unset"),
  images: z
    .array(
      z.strictObject({
        name: z
          .string()
          .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/)
          .describe("of the runtime"),
        digest: z
          .string()
          .regex(/^sha256:[0-9a-f]{64}$/)
          .describe("of the image's root filesystem"),
        reference: z
          .string()
          .regex(/^[a-z0-9][a-z0-9./:_-]{0,511}@sha256:[0-9a-f]{64}$/)
          .describe("where the nodes pull it from, by digest"),
      }),
    )
    .max(16)
    .default([])
    .describe("runtime images that the nodes can pull"),
});
