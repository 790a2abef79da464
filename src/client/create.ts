import { resolve } from "node:path";
import type { CommandName, OutputOf } from "../commands/output/all.ts";
import { environment, loadConfig } from "../config.ts";
import { IchainError, impossible, isIchainError } from "../errors/error.ts";
import type { Client } from "./client.ts";
import { startDaemon, untilServed } from "./daemons.ts";
import { eventOf, type FollowedEvent, followedEventSchema } from "./events.ts";
import { type ClientOptions, choiceFlags, flagsOf, type SubmitChoice } from "./options.ts";
import { type ClientHome, type CommandRun, runCommandLine } from "./run.ts";
import { streamOf } from "./stream.ts";

/**
 * Opens a home of ichain for a program. Nothing is asked and nothing printed; what a call needs is opened when it is made.
 * @example
 * await using client = await createClient({ home: "/srv/ichain", password: () => readFileSync("pw.txt", "utf8").trim() });
 * @throws CONFIG_INVALID, CONFIG_MISSING, NETWORK_UNKNOWN
 */
export async function createClient(options: ClientOptions = {}): Promise<Client> {
  const { home, network, password, onEvent } = options;
  const env = {
    ...environment(),
    ...(home !== undefined && { ICHAIN_HOME: home }),
    ...(network !== undefined && { ICHAIN_NETWORK: network }),
  };
  const config = await loadConfig({ file: options.config, env });
  const reveal = typeof password === "string" ? () => password : password;
  const closing = new AbortController();
  const inHome: ClientHome = {
    config: reveal ? { ...config, password: { from: "environment", reveal } } : config,
    signal: closing.signal,
    onEvent,
  };
  const server = untilServed(inHome);

  /** Of a command that prints something. */
  async function call<Name extends CommandName>(
    name: Name,
    words: readonly string[] = [],
    given: CommandRun<Name> = {},
  ): Promise<OutputOf<Name>> {
    return (await runCommandLine(inHome, name, words, given)) ?? impossible(`${name} printed nothing`);
  }
  async function post(files: readonly string[], choice: SubmitChoice, words: readonly string[]) {
    const { most, tries, failover, signal, onEvent } = choice;
    await server.ready({ signal });
    const flags = [...choiceFlags(choice), ...flagsOf({ most, tries, failover }), ...words];
    return call("submit", [...paths(files), "--detach", "--yes", ...flags], { signal, onEvent });
  }

  return {
    address: async (given) => (await call("wallet address", [], given)).address,
    balances: (given) => call("wallet balance", [], given),
    async withdraw(token, given) {
      const printed = await call("wallet withdraw", token === undefined ? [] : [token], given);
      return "calls" in printed ? impossible("calls without --calldata") : printed.withdrawn;
    },
    providers: async ({ signal, onEvent, ...filter } = {}) =>
      (await call("providers", flagsOf(filter), { signal, onEvent })).providers,
    async prices(given) {
      const printed = await call("quote", ["--market"], given);
      return "prices" in printed ? printed.prices : impossible("no prices");
    },
    async quote(file, choice = {}) {
      const printed = await call("quote", [...paths([file]), ...choiceFlags(choice)], choice);
      return "prices" in printed ? impossible("prices alone") : printed;
    },
    async submit(file, choice = {}) {
      await refuseMatrix(file, choice);
      const printed = await post([file], choice, []);
      if (!("jobId" in printed)) return impossible("several jobs of one");
      return { jobId: printed.jobId, state: "state" in printed ? printed.state : "Posted" };
    },
    async submitMatrix(files, choice = {}) {
      const printed = await post(files, choice, flagsOf({ budget: choice.budget, atOnce: choice.atOnce }));
      return "cells" in printed ? printed : impossible("one job of a matrix");
    },
    follow: (jobId, { signal } = {}) =>
      streamOf<FollowedEvent>(async (push, linked) => {
        const told = (event: FollowedEvent) => push(followedEventSchema.parse(event));
        const onOutput = (printed: OutputOf<"watch">) => push(eventOf(printed));
        try {
          await runCommandLine(inHome, "watch", [jobId], { signal: linked, onEvent: told, onOutput });
        } catch (error) {
          // The last event has told it.
          if (!isIchainError(error, "JOB_NOT_SETTLED")) throw error;
        }
      }, signal),
    logs: (jobId, { signal, onEvent, follow } = {}) =>
      streamOf<string>(
        (push, linked) =>
          runCommandLine(inHome, "logs", [jobId, ...flagsOf({ follow })], {
            ...{ signal: linked, onEvent },
            onOutput: ({ text }) => push(text),
          }),
        signal,
      ),
    async get(jobId, { signal, onEvent, out, ...choice } = {}) {
      const folder = out === undefined ? undefined : resolve(out);
      const printed = await call("get", [jobId, ...flagsOf({ out: folder, ...choice })], { signal, onEvent });
      return "results" in printed ? impossible("several results") : printed;
    },
    jobs: ({ all, ...given } = {}) => call("jobs", flagsOf({ all }), given),
    job: (jobId, given) => call("job", [jobId], given),
    why: (jobId, given) => call("why", [jobId], given),
    cancel: (jobId, given) => call("cancel", [jobId], given),
    async stop(jobId, given) {
      const printed = await call("stop", [jobId], given);
      return "daemons" in printed ? impossible("daemons instead of a job") : printed;
    },
    challenge: (jobId, { round, ...given } = {}) => call("challenge", [jobId, ...flagsOf({ round })], given),
    appeal: (jobId, given) => call("appeal", [jobId], given),
    rate: (jobId, score, { validator, ...given } = {}) =>
      call("rate", [jobId, String(score), ...flagsOf({ validator })], given),
    provide: ({ signal, onEvent, ...choice } = {}) =>
      startDaemon(inHome, "provide", flagsOf(choice), { signal, onEvent }),
    validate: ({ signal, onEvent, ...choice } = {}) =>
      startDaemon(inHome, "validate", flagsOf(choice), { signal, onEvent }),
    serve: (given) => startDaemon(inHome, "serve", [], given),
    earnings: ({ since, ...given } = {}) => call("earnings", flagsOf({ since }), given),
    stake: (given) => call("stake status", [], given),
    status: (given) => call("status", [], given),
    command: (name, words, given) => runCommandLine(inHome, name, words, given),
    async [Symbol.asyncDispose]() {
      closing.abort(new IchainError("INTERRUPTED", "The client was closed."));
      await server.ended();
    },
  };

  /** Before anything is posted: what a matrix prints is of another form. */
  async function refuseMatrix(file: string, { variables = {} }: SubmitChoice): Promise<void> {
    const [{ loadFederatedFile }, { loadJobs, surroundingsOf }] = await Promise.all([
      import("../commands/job/federated/load.ts"),
      import("../commands/steps/job-file.ts"),
    ]);
    if ((await loadFederatedFile(file, surroundingsOf(config))) !== undefined) return;
    const variable = Object.entries(variables).map(([name, value]) => [name, String(value)] as const);
    if ("file" in (await loadJobs(file, { variable, ...surroundingsOf(config) }))) return;
    throw new IchainError("USAGE", `${file} has a matrix: it is several jobs.`, {
      hint: "Call submitMatrix, or give the variables of its matrix.",
    });
  }
}

/** Absolute, so that none is taken for an option. */
const paths = (files: readonly string[]): string[] => files.map((file) => resolve(file));
