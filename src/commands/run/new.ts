import { existsSync } from "node:fs";
import { cp, readdir } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { templates } from "../../config/choices.ts";
import { IchainError } from "../../errors/error.ts";
import type { CommandContext } from "../framework/declaration.ts";

type Template = keyof typeof templates;

/**
 * Writes the folder of a job that runs at once.
 * @throws TARGET_EXISTS
 */
export async function run(
  { ui }: CommandContext,
  args: { template?: Template; folder?: string },
): Promise<void> {
  const names = Object.keys(templates) as Template[];
  const choices = names.map((value) => ({ name: `${value}: ${templates[value]}`, value }));
  const template = args.template ?? (await ui.prompts.select("What kind of job?", choices));
  const given = args.folder ?? template;
  const folder = resolve(given);
  if (existsSync(folder)) throw new IchainError("TARGET_EXISTS", `The folder ${folder} exists already.`);
  const source = fileURLToPath(new URL(`../../../templates/${template}/`, import.meta.url));
  await cp(source, folder, { recursive: true });
  const files = (await readdir(folder)).toSorted();
  ui.print({ template, folder, files }, () =>
    [
      `${folder} has ${files.join(", ")}.`,
      ...(files.includes("job.yaml")
        ? [`Next: cd ${given} && ichain run --local job.yaml`, "Then: ichain submit job.yaml --wait"]
        : [`Next: cd ${given} && ichain simulate fed.yaml`]),
    ].join("\n"),
  );
}
