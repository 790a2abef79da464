import type { Abortable } from "../../async/abort.ts";
import type { JobJournal } from "../../ports/journal.ts";
import type { BundledImage, ImageBounds, PulledImage } from "../../ports/sandbox.ts";
import type { Policy } from "../../protocol/policy/policy.ts";
import type { Spec } from "../../protocol/task/spec.ts";
import type { WorkerContext } from "../context.ts";

/** Digests of the images that unfinished jobs of this account need. */
export function neededImages({ journal }: Pick<WorkerContext, "journal">): Set<string> {
  const open = journal.undertakings({ unfinished: true });
  return new Set(
    open.flatMap(({ role, key }) => {
      const job = journal.open(role, key);
      // Of a federated job its requester has it by another step.
      const built = job.outcome<string>("image") ?? job.outcome<string>("opened");
      const image = job.outcome<{ spec: Spec }>("bundle")?.spec.image;
      return [built, typeof image === "string" ? image : undefined].filter((one) => one !== undefined);
    }),
  );
}

/**
 * The digest of the job's image: the one that its spec names, or that of the image in its bundle or in a registry, which
 * is built or pulled now. The caller has checked that the policy allows such images. Images of past jobs beyond the policy's budget are
 * removed first.
 */
export async function ensureImage(
  context: WorkerContext,
  journal: JobJournal,
  { spec, input, policy }: { spec: Spec; input: string; policy: Policy },
  { signal }: Abortable,
): Promise<string> {
  const { image, resources } = spec;
  if (typeof image === "string") return image;
  const { sandbox, reporter } = context;
  const pulled = "oci" in image;
  const { maxBytes, maxTime } = pulled ? policy.pulledImages : policy.bundledImages;
  await sandbox.trim({ bytes: policy.imageDisk, keep: neededImages(context) }, { signal });
  return journal.step("image", {
    prepare: (): { source: BundledImage | PulledImage; bounds: ImageBounds } => ({
      source: pulled ? image : { dir: input, ...image },
      bounds: { maxBytes, seconds: maxTime, memoryBytes: resources.memory, cpus: resources.cpus },
    }),
    act: async ({ source, bounds }) => {
      const id = `image-${journal.key}`;
      const what = pulled ? `image ${image.oci}` : "image in the job's bundle";
      reporter.emit({ kind: "start", id, text: `${pulled ? "Pulling" : "Building"} the ${what}` });
      try {
        const digest = await sandbox.prepare(source, bounds, { signal });
        reporter.emit({ kind: "end", id, text: `${pulled ? "Pulled" : "Built"} the ${what}` });
        return digest;
      } catch (error) {
        reporter.emit({ kind: "fail", id, text: `The ${what} could not be ${pulled ? "pulled" : "built"}` });
        throw error;
      }
    },
  });
}
