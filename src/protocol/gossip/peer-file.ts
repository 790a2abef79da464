import { z } from "zod";
import { federatedSchema } from "../federated/job-file.ts";
import { bytesSchema } from "../quantity.ts";
import { taskFields } from "../task/spec.ts";
import { peerAddressSchema } from "./address.ts";
import { modelPackings } from "./packed-model.ts";
import { MOST_NEIGHBOURS } from "./peer/peer.ts";
import { gossipSettingsSchema } from "./settings.ts";

const path = z.string().min(1).max(1024);
const seconds = z.number().int().min(1).max(86_400);

/** `gossip.yaml`: a peer, the network that it takes part in, and what it trains on. */
export const gossipPeerSchema = z
  .strictObject({
    version: taskFields.version,
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$/, "letters, digits, spaces, dots and dashes")
      .describe("Of the network; the same for all its peers"),
    model: path.describe("The model that all peers begin with, as safetensors of F32"),
    image: z
      .string()
      .regex(/^([a-z0-9][a-z0-9._-]{0,63}|sha256:[0-9a-f]{64})$/, "a runtime's name, or a digest")
      .describe("Runtime image by name or by root-filesystem digest `sha256:…`"),
    command: taskFields.command.describe(
      "The task: run as `command… 0` to train and as `command… 1` to measure",
    ),
    inputs: z
      .array(path)
      .min(1)
      .max(1000)
      .describe("Files and folders beside gossip.yaml; the task sees them under /in"),
    resources: taskFields.resources.describe("What one run of the task needs"),
    local: federatedSchema.shape.local.describe("What one training does"),
    data: path
      .optional()
      .describe(
        "Folder of the peer's own rows, which the task sees as /in/data; files may be added while it runs",
      ),
    test: z
      .strictObject({
        file: z.union([path, z.array(path).min(1).max(64)]),
        rows: z.string().min(1).max(64).default("x").describe("Name of the array of rows in the file"),
        labels: z.string().min(1).max(64).default("y").describe("Name of the array of labels"),
      })
      .describe("Rows of the peer's own that measure models; it does not train on them"),
    interval: z
      .tuple([seconds, seconds])
      .default([8, 12])
      .describe("Seconds between two trainings, at least and at most"),
    fresh: z.boolean().default(false).describe("Train only where files came since the last training"),
    gather: z
      .number()
      .int()
      .min(0)
      .max(600)
      .default(5)
      .describe("How long received models wait for others, to be measured in one run, seconds"),
    compressed: z
      .enum(modelPackings)
      .optional()
      .describe(
        "Models that this peer shows travel as codes of 8 bits, a quarter as long; absent: as F32. It reads either",
      ),
    observer: z.boolean().default(false).describe("Follows without training: measures, averages, confirms"),
    gossip: gossipSettingsSchema
      .prefault({})
      .describe("How the peer behaves; `ichain gossip simulate` has the same"),
    peers: z
      .array(peerAddressSchema)
      .max(MOST_NEIGHBOURS)
      .default([])
      .describe("Addresses of neighbours, as `ichain gossip address` prints them"),
    introducer: peerAddressSchema
      .optional()
      .describe("Address of a peer that becomes a neighbour and names others"),
    introduces: z
      .boolean()
      .default(false)
      .describe("Whether this peer names its neighbours to those who say hello"),
    strangers: z
      .number()
      .int()
      .min(0)
      .max(MOST_NEIGHBOURS)
      .default(0)
      .describe("Peers that may become neighbours and are not named here"),
    keep: bytesSchema
      .prefault("256 MiB")
      .describe(
        "Disk for the models that this peer showed, which it can hand to a pool later; the oldest give way",
      ),
    traffic: bytesSchema
      .prefault("64 MiB")
      .describe("What is taken of one neighbour in a minute, models included; more has to wait"),
  })
  .superRefine(({ interval, data, observer, introducer, introduces, strangers }, context) => {
    const issue = (field: string, message: string) =>
      context.addIssue({ code: "custom", path: [field], message });
    if (interval[0] > interval[1]) issue("interval", "the least comes first");
    if (!observer && data === undefined)
      issue("data", "is missing: a peer that trains needs rows of its own");
    if ((introduces || introducer !== undefined) && strangers === 0)
      issue("strangers", "those that an introducer names are strangers: let some in");
  });
export type GossipPeerFile = z.output<typeof gossipPeerSchema>;
