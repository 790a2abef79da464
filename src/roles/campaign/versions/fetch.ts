import { rm } from "node:fs/promises";
import type { Abortable } from "../../../async/abort.ts";
import { IchainError } from "../../../errors/error.ts";
import { fromHex } from "../../../protocol/bytes.ts";
import type { Campaign } from "../../../protocol/campaign/campaign.ts";
import type { Publication } from "../../../protocol/campaign/versions.ts";
import { MAX_FILES, parcelBytes } from "../../../protocol/limits.ts";
import { decodeLocator, rowsGuestKey } from "../../../protocol/parcel/locator.ts";
import type { RoleContext } from "../../context.ts";
import { fetchBlob } from "../../task/fetch-blob.ts";
import { campaignFiles } from "../market/files.ts";

/** What of a model lies in a folder now. */
export interface FetchedModel {
  readonly files: readonly string[];
  readonly bytes: number;
}

/**
 * Fetches a version's model from where the campaign's owner says it is, and opens it into `folder`, which must not exist.
 * What is not what was published is refused, and nothing of it is left.
 * @param most Bytes of the model's files together; more are refused.
 * @throws CAMPAIGN_MODEL_STRANGE, LOCATOR_MALFORMED, codes of class `untrusted`, and the codes of `Transport.fetch`
 */
export async function fetchModel(
  context: Pick<RoleContext, "transport" | "reporter" | "parcels" | "jobsDir">,
  campaign: Campaign,
  { number, locator, modelDigest }: Publication,
  { folder, most }: { readonly folder: string; readonly most: number },
  options: Abortable,
): Promise<FetchedModel> {
  if (locator === "0x")
    throw new IchainError("CAMPAIGN_NO_VERSION", `The model of version ${number} is not public.`, {
      hint: "Ask the campaign's owner for it: a private campaign's models are shown to nobody.",
    });
  const { model, modelRoot: root, modelBytes: size, modelKey } = decodeLocator(fromHex(locator), "model");
  const maxBytes = parcelBytes(most);
  if (size > maxBytes) throw strange(number, `it takes ${size} bytes where ${most} are allowed`);
  const endpoint = { ...model, guestKey: rowsGuestKey(model) };
  const path = campaignFiles(context.jobsDir, campaign.id).version(number);
  const blob = await fetchBlob(context, "model", { endpoint, root, path, maxBytes, size }, options);
  const opened = await context.parcels.open(
    { blob, sessionKey: modelKey, into: folder, limits: { maxBytes: most, maxFiles: MAX_FILES } },
    options,
  );
  if (opened.digest !== modelDigest) {
    await Promise.all([folder, path].map((one) => rm(one, { recursive: true, force: true })));
    throw strange(number, `its files have the digest ${opened.digest}, not ${modelDigest}`);
  }
  const { files, totalBytes } = opened.manifest;
  await removeBlob(path);
  return { files: files.map((file) => file.path), bytes: totalBytes };
}

async function removeBlob(path: string): Promise<void> {
  for (const one of [path, `${path}.leaves`]) await rm(one, { force: true });
}

function strange(number: number, why: string): IchainError {
  return new IchainError("CAMPAIGN_MODEL_STRANGE", `Version ${number} cannot be used: ${why}.`);
}
