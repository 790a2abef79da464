import { readFile } from "node:fs/promises";
import { parseYaml } from "../config/yaml.ts";
import { IchainError } from "../errors/error.ts";
import { type Policy, policySchema } from "../protocol/policy/policy.ts";

/**
 * The policy in the file `path`, or the defaults without one.
 * @throws POLICY_UNREADABLE
 * @throws POLICY_INVALID
 */
export async function loadPolicy(path: string | undefined): Promise<Policy> {
  if (path === undefined) return policySchema.parse({});
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new IchainError("POLICY_UNREADABLE", `The policy file ${path} cannot be read.`, { cause });
  });
  return parseYaml({ text, name: path, code: "POLICY_INVALID" }, policySchema);
}
