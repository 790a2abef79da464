import { dirname, resolve } from "node:path";
import { parse } from "yaml";
import { parseYaml } from "../../../config/yaml.ts";
import { IchainError } from "../../../errors/error.ts";
import { type FederatedJobFile, federatedJobFileSchema } from "../../../protocol/federated/market/file.ts";
import { tokenAddress } from "../../../roles/tokens.ts";
import {
  checkedImage,
  checkInput,
  isFederated,
  readJobText,
  type Surroundings,
} from "../../steps/job-file.ts";

export interface LoadedFederated {
  readonly file: FederatedJobFile;
  /** Folder that its paths are relative to. */
  readonly folder: string;
}

/**
 * Reads and checks a job.yaml that has a block `federated`; undefined where it has none. Its token is named by its
 * address afterwards.
 * @throws JOB_INVALID, JOB_UNREADABLE, INPUT_MISSING, FEDERATED_DATA_IN_BUNDLE, TOKEN_NAME_UNKNOWN
 */
export async function loadFederatedFile(
  path: string,
  { tokens = {}, avoid = [] }: Surroundings,
): Promise<LoadedFederated | undefined> {
  const text = await readJobText(path);
  if (!hasBlock(text)) return undefined;
  const file = parseYaml({ text, name: path, code: "JOB_INVALID" }, federatedJobFileSchema);
  const folder = dirname(resolve(path));
  for (const input of file.inputs) await checkInput(path, folder, input);
  const { model, train, test, root, public: open } = file.federated;
  const data = [train, test, root, open].flatMap((source) => source?.file ?? []);
  for (const name of [model, ...data]) await checkInput(path, folder, name);
  for (const name of data) {
    const within = file.inputs.find(
      (input) => name === input || name.startsWith(`${input.replace(/\/$/, "")}/`),
    );
    if (within === undefined) continue;
    throw new IchainError(
      "FEDERATED_DATA_IN_BUNDLE",
      `${path}: "${name}" is data, and would be in every provider's bundle.`,
    );
  }
  const { token } = file.federated;
  const federated = { ...file.federated, token: token && tokenAddress(token, tokens) };
  const avoided = [...(file.avoid ?? []), ...avoid];
  return {
    file: { ...file, federated, avoid: avoided, image: await checkedImage(path, folder, file) },
    folder,
  };
}

/** Bad YAML is left to the reader of ordinary jobs, which says where it is wrong. */
function hasBlock(text: string): boolean {
  try {
    return isFederated(parse(text, { maxAliasCount: 0 }));
  } catch {
    return false;
  }
}
