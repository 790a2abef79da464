import type { JobJournal } from "../../../ports/journal.ts";
import type { TaskRun } from "../../../ports/sandbox.ts";

interface RunLog {
  /** What the run was for, for people. */
  readonly what: string;
  /** The end of what it printed, at most 4,096 UTF-16 units. */
  readonly text: string;
}

/** What the runs of a federated job printed on this machine, up to round `rounds` and in order. */
export function roundLogs(journal: Pick<JobJournal, "outcome">, rounds: number): readonly RunLog[] {
  const logs: RunLog[] = [];
  const add = (name: string, what: string): boolean => {
    const run = journal.outcome<Pick<TaskRun, "log">>(`run-${name}`);
    if (run !== undefined) logs.push({ what, text: run.log });
    return run !== undefined;
  };
  add("distil-0", "scoring the public rows");
  for (let round = 1; round <= rounds; round++) {
    add(`round-${round}`, `round ${round}: training`);
    add(`measure-${round}`, `round ${round}: measuring the updates`);
    add(`root-${round}`, `round ${round}: training on the requester's rows`);
    for (let tries = 0; add(`try-${round}-${tries}`, `round ${round}: measuring a choice of updates`); )
      tries += 1;
    add(`distil-${round}`, `round ${round}: training the next model`);
    add(`left-out-${round}`, `round ${round}: measuring the model without each update`);
  }
  add("measure-last", "measuring the last model");
  return logs;
}
