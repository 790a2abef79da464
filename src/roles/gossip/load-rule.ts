import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { IchainError } from "../../errors/error.ts";
import type { AveragingRule } from "../../protocol/gossip/rules/rule.ts";
import { averagingRuleNames, averagingRuleOf } from "../../protocol/gossip/rules.ts";

const PATH = /^(\.{0,2}\/|.*\.m?js$)/;

/**
 * An averaging rule by its name, or a third party's by its path, relative to `folder`: an ES module whose `rule` is an
 * `AveragingRule`. Such a module runs in this process with all that its owner may do; its owner names it.
 * @throws GOSSIP_RULE_UNKNOWN, GOSSIP_RULE_INVALID
 */
export async function loadAveragingRule(name: string, folder: string): Promise<AveragingRule> {
  const known = averagingRuleOf(name);
  if (known !== undefined) return known;
  if (!PATH.test(name)) {
    throw new IchainError(
      "GOSSIP_RULE_UNKNOWN",
      `There is no averaging rule "${name}"; there are: ${averagingRuleNames.join(", ")}.`,
    );
  }
  const path = resolve(folder, name);
  let module: { readonly rule?: Partial<AveragingRule> };
  try {
    module = await import(pathToFileURL(path).href);
  } catch (cause) {
    throw new IchainError("GOSSIP_RULE_INVALID", `The averaging rule ${path} cannot be loaded.`, { cause });
  }
  const { rule } = module;
  if (typeof rule?.plan !== "function" || typeof rule.name !== "string" || typeof rule.summary !== "string") {
    throw new IchainError("GOSSIP_RULE_INVALID", `The module ${path} has no averaging rule named \`rule\`.`);
  }
  return rule as AveragingRule;
}
