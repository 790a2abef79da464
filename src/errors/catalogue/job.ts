import type { CatalogueEntry } from "../entry.ts";

/** What a job can meet, from job.yaml to its result. */
export const jobErrors = {
  CAPSULE_NOT_PUBLISHED: {
    class: "unavailable",
    retryable: true,
    hint: "Wait: the host publishes it once it has seen the appointment.",
  },
  CHECKPOINT_TOO_LARGE: {
    class: "untrusted",
    hint: "Raise resources.checkpoint in job.yaml, or keep less in a checkpoint; the last good one is kept.",
  },
  CHECKPOINT_UNSAFE: {
    class: "untrusted",
    hint: "Leave only plain files in a checkpoint, and rename it once it is complete; the last good one is kept.",
  },
  CHECKPOINT_UNTRUSTED: {
    class: "untrusted",
    hint: "The last good checkpoint is kept, and the job goes on from it if its provider is lost.",
  },
  DISK_TOO_FULL: {
    class: "refused",
    hint: "Free some space, move the home folder to a larger disk, or lower maxBundle in the policy.",
  },
  INPUT_MISSING: {
    class: "usage",
    hint: "List the file, or its folder, under inputs in job.yaml.",
  },
  JOB_FAILED: { class: "failed", hint: 'The money is back; "ichain why ID" tells what happened.' },
  RESULTS_INCOMPLETE: {
    class: "failed",
    hint: 'The others are opened. "ichain get ID" tries one of them again.',
  },
  MATRIX_INCOMPLETE: {
    class: "failed",
    hint: "The others stand: `ichain jobs` lists them. `ichain why ID` tells what became of one.",
  },
  JOB_INVALID: { class: "usage", hint: "Correct the named line and field of job.yaml." },
  JOB_NOT_OURS: {
    class: "usage",
    hint: "Use the ICHAIN_HOME that the job was submitted from; `ichain jobs` lists what it knows.",
  },
  JOB_NOT_POSTED_AGAIN: {
    class: "refused",
    hint: '"ichain providers" shows who there is; "ichain submit" posts it as a new job, on terms of its own.',
  },
  JOB_NOT_RUNNING: { class: "usage", hint: '"ichain why ID" tells where the job stands.' },
  JOB_NOT_SETTLED: {
    class: "failed",
    hint: '"ichain why ID" tells what happened; the money is back, less the fees of validators that revealed.',
  },
  JOB_UNREADABLE: {
    class: "usage",
    hint: "Name a file that exists; `ichain new` writes a job.yaml to start from.",
  },
  LOCAL_RUN_FAILED: {
    class: "failed",
    hint: "Correct the task, or the threshold and the resources in job.yaml, and run it again; no money has moved.",
  },
  LOCATOR_MALFORMED: {
    class: "untrusted",
    hint: "The other party is hostile or runs other software: let the job time out and choose another.",
  },
  LOG_NOT_HERE: {
    class: "refused",
    hint: "Set ICHAIN_HOME to the home of the job's requester, provider or validator.",
  },
  LOG_NOT_READY: {
    class: "refused",
    retryable: true,
    hint: '"ichain logs ID --follow" waits for it; runs of less than five seconds have no live log.',
  },
  BUDGET_EXCEEDED: {
    class: "refused",
    hint: 'Lower what it locks (price or validatorFee in job.yaml, rows or price in campaign.yaml), take back a posted job ("ichain cancel ID": one that no provider has accepted counts as locked until then), or raise `budgets` in config.yaml.',
  },
  JOB_BUSY: {
    class: "unavailable",
    hint: '"ichain watch ID" follows the job; end the other "ichain submit", "resume" or "serve" to act for it here.',
  },
  JOB_DECLINED: {
    class: "refused",
    hint: 'The money came back; change what the reason names, or choose another provider ("ichain providers").',
  },
  LOG_UNTRUSTED: {
    class: "untrusted",
    hint: "Read the log from the run report instead, once the result is paid for.",
  },
  MEASURE_FAILED: { class: "failed", hint: "The validator abstains; no stake is slashed." },
  RUN_FAILED: { class: "failed", hint: '"ichain logs ID" shows the end of what the task printed.' },
  NOTICE_UNTRUSTED: {
    class: "untrusted",
    hint: "It is ignored: only the chain decides what becomes of the job.",
  },
  METRIC_OUT_OF_RANGE: {
    class: "failed",
    hint: "Report a finite metric between -9.2e9 and 9.2e9; scale it in the task if it is larger.",
  },
  NO_OFFER: {
    class: "config",
    hint: "`ichain provide --stake COIN` or `ichain validate --stake COIN` publishes one and deposits.",
  },
  GPU_NOT_OFFERED: {
    class: "refused",
    retryable: true,
    hint: '"ichain providers --gpu" shows the GPUs on offer; change resources.gpus in job.yaml, or try later.',
  },
  NO_PROVIDER: {
    class: "refused",
    retryable: true,
    hint: '"ichain providers" shows the offers; raise the price or the windows, or choose another provider.',
  },
  NO_RESULT: { class: "failed", hint: '"ichain why ID" tells what happened; the money is back.' },
  NO_VALIDATOR: {
    class: "refused",
    retryable: true,
    hint: "Ask for fewer under verification.validators, raise validatorFee, or choose another provider.",
  },
  OFFER_GONE: {
    class: "refused",
    hint: "Choose another account: `ichain providers` lists the present offers.",
  },
  PARTY_UNFIT: {
    class: "refused",
    hint: '"ichain providers" shows the offers; use "best" to take the best that fits.',
  },
  REPORT_MALFORMED: {
    class: "untrusted",
    hint: "The validator reveals without it; the provider has to reveal its measurement itself.",
  },
  RESULT_NOT_READY: {
    class: "refused",
    retryable: true,
    hint: '"ichain resume ID" continues it; "ichain why ID" tells whose turn it is.',
  },
  RESULT_REMOVED: {
    class: "refused",
    hint: "Use the copy that was written before. keep.resultDays in config.yaml sets how long the encrypted copy is kept.",
  },
  SPEC_MISMATCH: {
    class: "untrusted",
    hint: "The requester changed the job after posting it, or runs other software; the job is not accepted.",
  },
  TENSORS_INCONSISTENT: {
    class: "untrusted",
    hint: "Do not load the file: readers may disagree on what it holds. Ask its author for one written by safetensors.",
  },
  TENSORS_MALFORMED: {
    class: "untrusted",
    hint: "Do not load the file: it is damaged, or was not written by safetensors.",
  },
  TENSORS_TOO_LARGE: {
    class: "untrusted",
    hint: "Load the file only if you trust its author; a model in several smaller files stays within the bounds.",
  },
  VARIABLE_INVALID: { class: "usage", hint: "Give a value of the same kind as its default in job.yaml." },
  VARIABLE_MISSING: {
    class: "usage",
    hint: "Give it with -V NAME=VALUE, or write a default under variables in job.yaml.",
  },
  VARIABLE_UNKNOWN: {
    class: "usage",
    hint: "Declare it under variables in job.yaml, or correct its name; $${ writes a plain ${.",
  },
  TERMS_OUT_OF_RANGE: {
    class: "usage",
    hint: "Choose a smaller value: windows are at most 194 days, tolerance and threshold at most 9.2e9.",
  },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;
