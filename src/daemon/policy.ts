import { readFile } from "node:fs/promises";
import { parseYaml } from "../config/yaml.ts";
import { IchainError } from "../errors/error.ts";
import { type Policy, policySchema } from "../protocol/policy/policy.ts";

/** The policy in `path`, or the careful defaults when none is named. */
export async function loadPolicy(path: string | undefined): Promise<Policy> {
  if (path === undefined) return policySchema.parse({});
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new IchainError(`The policy file ${path} cannot be read.`, {
      code: "POLICY_UNREADABLE",
      class: "usage",
      hint: "Name a file that exists, or leave --policy out for the defaults.",
      cause,
    });
  });
  return parseYaml({ text, name: path, code: "POLICY_INVALID", class: "config" }, policySchema);
}
