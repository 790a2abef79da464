import { unreachable } from "../../errors.ts";
import { blindKey, keyCommitment } from "../../protocol/exchange.ts";
import type { Job } from "../../protocol/job.ts";
import type { RoleContext, Waits } from "../context.ts";
import type { Collected } from "./collect.ts";
import type { Draft } from "./draft.ts";

/** Unblinds the key that `claim` published and unpacks the result into `into`, which must not exist. */
export async function openResult(
  { parcels }: RoleContext,
  { job, draft, collected, into }: { job: Job; draft: Draft; collected: Collected; into: string },
  { signal }: Waits,
): Promise<{ files: readonly string[]; bytes: number }> {
  const { blindedKey, submission } = job;
  if (!blindedKey || !submission) return unreachable("a result is opened before its key was claimed");
  if (keyCommitment(job.id, blindedKey) !== submission.keyCommitment) {
    return unreachable("the escrow paid for a key that does not match its commitment");
  }
  const { resources } = draft.spec;
  const { manifest } = await parcels.open(
    {
      blob: collected.result,
      sessionKey: blindKey(blindedKey, draft.mask),
      into,
      author: draft.provider.keys.fingerprint,
      limits: { maxBytes: resources.disk, maxFiles: 100_000 },
    },
    { signal },
  );
  return { files: manifest.files.map(({ path }) => path), bytes: manifest.totalBytes };
}
