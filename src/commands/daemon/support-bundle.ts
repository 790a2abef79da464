import { existsSync } from "node:fs";
import { homedir, hostname, release, type, version } from "node:os";
import { dirname, join, resolve } from "node:path";
import { lockedKinds } from "../../compose.ts";
import { loadPolicy } from "../../daemon/work.ts";
import { isIchainError } from "../../errors/error.ts";
import { readLogEnd } from "../../support/log-end.ts";
import { hostOf, type Known, redactValue, shownHost } from "../../support/redact.ts";
import { configOutline, policyOutline } from "../../support/settings.ts";
import { type SupportFile, writeSupport } from "../../support/write.ts";
import { bytes as bytesText } from "../../ui/format.ts";
import { programVersion } from "../../version.ts";
import { examineMachine } from "../doctor.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { withDaemons } from "../steps/daemons.ts";
import { fromRecords } from "../steps/records.ts";

/** Of undertakings, the newest are told. */
const MAX_UNDERTAKINGS = 2000;

/** Writes what helps others to find a fault, without what opens, locates or names anything of this home. */
export async function run(
  context: CommandContext,
  _args: object,
  options: { out?: string; policy?: string },
): Promise<void> {
  const { ui } = context;
  const stamp = new Date().toISOString().slice(0, 19).replace(/[:T-]/g, "");
  const folder = `ichain-support-${stamp}`;
  const path = resolve(options.out ?? `${folder}.tar.gz`);
  const { files, bytes } = await writeSupport(path, () => collect(context, options.policy), folder);
  const listed = files.map(({ name, about, text }) => ({ name, about, bytes: Buffer.byteLength(text) }));
  ui.print({ file: path, bytes, files: listed }, () =>
    [
      ui.table(
        ["FILE", "SIZE", "WHAT IT IS"],
        listed.map((one) => [one.name, bytesText(one.bytes), one.about]),
      ),
      `Written: ${path} (${bytesText(bytes)})`,
      `Read it before you send it: tar -xzOf ${path} | less`,
    ].join("\n"),
  );
}

async function collect(context: CommandContext, policy: string | undefined): Promise<SupportFile[]> {
  const { config } = context;
  const known = knownTexts(context);
  const json = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`;
  const redacted = (value: unknown) => json(redactValue(value, known));
  const logs = [config.log.file, join(dirname(config.log.file), "serve.log")].map(async (path, at) => {
    const text = await readLogEnd(path, known);
    const name = at === 0 ? "logs/worker.log" : "logs/server.log";
    return text === undefined ? [] : [{ name, about: "the end of a daemon's log", text }];
  });
  const files = [
    { name: "versions.json", about: "of ichain and what it runs on", text: json(versions()) },
    {
      name: "config.json",
      about: "the configuration: numbers, switches, choices",
      text: json(configOutline(config)),
    },
    ...(await policyFile(context, policy, json)),
    {
      name: "doctor.json",
      about: "what `ichain doctor` finds",
      text: redacted(await examineMachine(context)),
    },
    { name: "status.json", about: "what `ichain status` shows", text: redacted(await statuses(context)) },
    { name: "journal.json", about: "states and times of jobs", text: redacted(await undertakings(context)) },
    ...(await Promise.all(logs)).flat(),
  ];
  return [{ name: "README.txt", about: "what is in it", text: readMe(files) }, ...files];
}

/** Texts of this machine and its owner. */
function knownTexts({ config }: CommandContext): Known {
  const { network, pool, notify } = config;
  const urls = [network?.rpcUrl, ...(network?.rpcUrls ?? []), ...pool.map(({ url }) => url), notify.webhook];
  const hosts = urls.map((url) => hostOf(url ?? "")).filter((host) => shownHost(host) === undefined);
  return [
    [config.home, "<home>"],
    [homedir(), "~"],
    [hostname(), "<machine>"],
    ...hosts.map((host) => [host, "<host>"] as const),
  ];
}

function versions() {
  const { node, openssl, sqlite } = process.versions;
  const system = { type: type(), release: release(), version: version(), arch: process.arch };
  return { ichain: programVersion(), node, openssl, sqlite, system };
}

async function policyFile(
  { config }: CommandContext,
  named: string | undefined,
  json: (value: unknown) => string,
): Promise<SupportFile[]> {
  const path = named ?? join(config.home, "policy.yaml");
  if (named === undefined && !existsSync(path)) return [];
  const text = await loadPolicy(path).then(
    (policy) => json(policyOutline(policy)),
    // Its message quotes the file.
    (error: unknown) => `It is refused: ${isIchainError(error) ? error.code : "INTERNAL"}\n`,
  );
  return [{ name: "policy.json", about: "the policy: numbers, switches, choices", text }];
}

async function statuses(context: CommandContext) {
  const answers = await withDaemons(context, (found) =>
    Promise.all(
      found.map((one) =>
        one.ask("status").catch((error: unknown) => ({
          ...{ kind: one.kind, error: isIchainError(error) ? error.code : "INTERNAL" },
        })),
      ),
    ),
  ).catch((error: unknown) => ({ error: isIchainError(error) ? error.code : "INTERNAL" }));
  return { daemons: answers, locked: await lockedKinds(context) };
}

async function undertakings(context: CommandContext) {
  const all = await fromRecords(context, (journal) =>
    journal.undertakings().map(({ role, key, openedAt, finished = "unfinished", finishedAt }) => ({
      ...{ role, key, state: finished, openedAt: instantOf(openedAt), finishedAt: instantOf(finishedAt) },
    })),
  );
  return all === undefined
    ? "There is none, or it is damaged."
    : { count: all.length, newest: all.slice(-MAX_UNDERTAKINGS) };
}

function instantOf(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : new Date(milliseconds).toISOString();
}

function readMe(files: readonly SupportFile[]): string {
  return `What is in here, to find out what is wrong with an ichain:

${files.map(({ name, about }) => `  ${name.padEnd(18)} ${about}`).join("\n")}

It names the account, which the chain shows with its jobs, and the versions of programs. Left out are passwords, the
wallet, the keyring and the keys of onions, which are not read; contents of jobs; and, as far as they were recognised,
addresses of machines and onions, paths and keys in URLs, names of persons and folders. A log can hold what no rule
foresees: read it before you send it.
`;
}
