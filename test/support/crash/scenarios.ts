import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import type { Job } from "../../../src/protocol/job/job.ts";
import type { TestMarket } from "../market/market.ts";

/** What a scenario can do while its jobs go on. */
export interface Course {
  readonly market: TestMarket;
  /** Of this run alone. */
  readonly dir: string;
  readonly jobs: readonly Job[];
  write(job: Readonly<Record<string, unknown>>, files: Readonly<Record<string, string>>): Promise<string>;
  /** Runs a command of the requester's to its end; where it is killed, again as `instead` says. */
  ichain(args: readonly string[], instead?: readonly string[]): Promise<string>;
  /** Leaves a command to itself while the job goes on. */
  start(args: readonly string[]): void;
  /** Ends the requester's process; `resume` carries on once its jobs are over. */
  silence(): Promise<void>;
  restart(name: string): Promise<void>;
  travel(seconds: number): Promise<void>;
}

/** A course of a job that reaches steps which others do not. */
export interface Scenario {
  readonly name: string;
  /** Resolves with the path of the job.yaml. */
  write(course: Course): Promise<string>;
  flags(course: Course): readonly string[];
  /** Called once for each state of each job. */
  at?(course: Course, job: Job): Promise<void>;
  /** Called once its jobs are over and their requester has nothing left to do. */
  over?(course: Course): Promise<void>;
  /** Called once nobody has anything left to do, such as for what an owner does then. */
  end?(course: Course): Promise<void>;
  /**
   * How its jobs end also where the requester is killed: `submit` itself asks the next provider, and what `resume` can
   * do for it is to take the declined job back.
   */
  alsoEnds?: readonly string[];
  /** The first provider is made to miss its deadline. */
  late?: boolean;
}

/** The smallest job that there is: it writes a file and prints a metric. */
const TASK = `import sys
if sys.argv[1] == "0": open("/out/model.txt", "w").write("x" * 1000)
print("acc: 0.97")
`;
const JOB = {
  ...{ version: 1, name: "crash", image: "python-ml", command: ["python3", "task.py"], price: 0.1 },
  ...{ inputs: ["task.py"], outputs: ["model.txt"] },
  resources: { cpus: 0.5, memory: "256 MiB", disk: "4 MiB", time: "1m" },
  // For a chain that travels, whose pace seems to be a block a minute.
  windows: { accept: "30m", run: "30m" },
};
const rule = (more: object = {}) => ({
  metric: "acc",
  threshold: 0.9,
  tolerance: 0.01,
  validators: 1,
  ...more,
});

const provider = ({ market }: Course, i = 0) => ["--provider", market.providers[i]!.account];
const named = (course: Course) => [...provider(course), "--validator", "best", "--wait"];

const passWindow = async (course: Course, { state, terms }: Job) => {
  if (state === "Rejected") await course.travel(terms.windows.appeal + 1);
  if (state === "Claimed") await course.travel(terms.windows.challenge + 1);
};

/** A result whose requester did not show that it has it is served for a week. */
const afterKeeping = (course: Course) => course.travel(8 * 86_400);

const EXAM = { mode: "exam", inputs: ["test.json"], metric: "acc", threshold: 0.9 };

export const scenarios: readonly Scenario[] = [
  {
    name: "validated",
    write: (course) => course.write({ ...JOB, verification: rule() }, { "task.py": TASK }),
    flags: named,
    async end(course) {
      await course.ichain(["rate", course.jobs[0]!.id, "5"]);
    },
  },
  {
    name: "settled early",
    write: (course) => course.write({ ...JOB, verification: rule({ validators: 0 }) }, { "task.py": TASK }),
    flags: (course) => [...provider(course), "--wait"],
    // A provider that was away for all of the time in which the job was claimed cannot tell who settled it.
    over: afterKeeping,
  },
  {
    name: "challenged",
    write: (course) => course.write({ ...JOB, verification: rule({ validators: 0 }) }, { "task.py": TASK }),
    flags: (course) => provider(course),
    async at(course, job) {
      if (job.state === "Accepted") await course.silence();
      if (job.state !== "Claimed" || job.challenged) return;
      await course.ichain(["challenge", job.id]);
      course.start(["resume"]);
    },
    over: afterKeeping,
  },
  {
    name: "drawn",
    write: (course) => course.write({ ...JOB, verification: rule() }, { "task.py": TASK }),
    flags: named,
    async at(course, job) {
      if (job.state === "Accepted") await course.silence();
      if (job.state === "Submitted") await course.travel(job.terms.windows.appoint + 1);
      await passWindow(course, job);
    },
    over: afterKeeping,
  },
  {
    name: "exam",
    write: (course) => course.write({ ...JOB, verification: EXAM }, { "task.py": TASK, "test.json": "{}" }),
    flags: named,
  },
  {
    name: "exam, drawn",
    write: (course) => course.write({ ...JOB, verification: EXAM }, { "task.py": TASK, "test.json": "{}" }),
    flags: named,
    async at(course, job) {
      if (job.state === "Accepted") await course.silence();
      if (job.state === "Submitted") {
        await course.travel(job.terms.windows.appoint + 1);
        course.start(["resume"]);
      }
      await passWindow(course, job);
    },
    over: afterKeeping,
  },
  {
    name: "run again by its validator",
    write: (course) =>
      course.write({ ...JOB, verification: rule({ mode: "replicate" }) }, { "task.py": TASK }),
    flags: named,
  },
  {
    name: "a run that fails",
    write: (course) =>
      course.write({ ...JOB, effort: 0.25, verification: rule() }, { "task.py": 'raise SystemExit("no")\n' }),
    flags: named,
    at: passWindow,
  },
  {
    name: "given back, and again",
    write: (course) =>
      course.write({ ...JOB, verification: rule() }, { "task.py": TASK.replace("0.97", "0.5") }),
    flags: (course) => [...named(course), "--failover", "1"],
  },
  {
    name: "declined, and the next",
    alsoEnds: ["Cancelled  none"],
    write: (course) =>
      course.write(
        // Without a price of its own, for which the first provider, which asks for less, is the better one.
        { ...JOB, price: undefined, resources: { ...JOB.resources, time: "2m" }, verification: rule() },
        { "task.py": TASK },
      ),
    flags: () => ["--provider", "best", "--validator", "best", "--wait", "--tries", "2"],
  },
  {
    name: "provider lost, and again",
    late: true,
    write: (course) => course.write({ ...JOB, verification: rule() }, { "task.py": TASK }),
    flags: (course) => [...named(course), "--failover", "1"],
    async at(course, job) {
      if (job.state !== "Accepted") return;
      if (course.jobs[0]?.id !== job.id) return await course.restart("provider-1");
      await course.market.killActor("provider-1");
      await course.travel(job.terms.windows.run + 1);
    },
    // Three strikes within ninety days would ban it.
    end: (course) => course.travel(91 * 86_400),
  },
  {
    name: "cancelled",
    write: (course) => course.write({ ...JOB, verification: rule() }, { "task.py": TASK }),
    flags: named,
    async at(course, job) {
      if (job.state !== "Posted") return;
      await course.ichain(["cancel", job.id]);
    },
  },
  {
    name: "stopped",
    write: (course) =>
      course.write(
        { ...JOB, stop: { floor: 0.2, cap: 0.9 }, verification: rule() },
        { "task.py": "import time; time.sleep(50)\n" },
      ),
    flags: named,
    async at(course, job) {
      if (job.state === "Accepted") await course.ichain(["stop", job.id]);
    },
  },
  {
    name: "another price",
    write: (course) => course.write({ ...JOB, verification: rule() }, { "task.py": TASK }),
    flags: named,
    async end(course) {
      const file = join(course.market.dir, "policy.yaml");
      const policy = parse(await readFile(file, "utf8")) as Record<string, unknown>;
      const pricePerHour = Number(policy.pricePerHour ?? 0.01) + 0.001;
      await writeFile(file, stringify({ ...policy, pricePerHour }));
      await course.restart("provider-2");
    },
  },
];
