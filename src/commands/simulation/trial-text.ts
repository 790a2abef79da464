import { readFile, stat } from "node:fs/promises";
import { IchainError } from "../../errors/error.ts";

const MAX_BYTES = 64 << 10;

/**
 * The text of a fed.yaml or campaign.yaml.
 * @throws TRIAL_INVALID, DATA_UNREADABLE
 */
export async function readTrialText(path: string): Promise<string> {
  try {
    if ((await stat(path)).size > MAX_BYTES) {
      throw new IchainError("TRIAL_INVALID", `The file ${path} is larger than ${MAX_BYTES} bytes.`);
    }
    return await readFile(path, "utf8");
  } catch (cause) {
    if (cause instanceof IchainError) throw cause;
    throw new IchainError("DATA_UNREADABLE", `The file ${path} cannot be read.`, { cause });
  }
}
