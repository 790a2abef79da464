import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type FederatedJobFile,
  federatedJobFileSchema,
  jobRulesSchema,
  kitRulesSchema,
} from "../../../src/protocol/federated/market/file.ts";
import { refuseFederated } from "../../../src/protocol/federated/market/policy.ts";
import {
  federatedSpecHash,
  federatedSpecSchema,
  taskSpecOf,
} from "../../../src/protocol/federated/market/spec.ts";
import type { FederatedTerms } from "../../../src/protocol/federated/market/terms.ts";
import { ZERO_ADDRESS } from "../../../src/protocol/ids.ts";
import { policySchema } from "../../../src/protocol/policy/policy.ts";
import { specSchema } from "../../../src/protocol/task/spec.ts";
import { random32 } from "../../support/chain/terms.ts";

const federated = {
  ...{ providers: 4, rounds: 5, model: "start.safetensors", pool: 1, strategy: "fedavg" },
  ...{ train: { file: "train.npz" }, test: { file: "test.npz" } },
};
const file = {
  version: 1,
  name: "digits",
  image: "python-ml",
  command: ["train"],
  inputs: ["task.py"],
  federated,
};

/** The fields at fault of a job file with these changes. */
function faults(change: object, rounds: object = {}): string[] {
  const parsed = federatedJobFileSchema.safeParse({
    ...file,
    ...change,
    federated: { ...federated, ...rounds },
  });
  return parsed.success ? [] : parsed.error.issues.map(({ path }) => path.join("."));
}

test("a job file says what is missing or contradicts itself", () => {
  assert.deepEqual(faults({}), []);
  assert.deepEqual(faults({ inputs: ["task.py", "round.json"] }), ["inputs.1"]);
  assert.deepEqual(faults({ inputs: ["models/first"] }), ["inputs.0"]);
  assert.deepEqual(faults({ inputs: ["../task.py"] }), ["inputs.0"]);
  assert.deepEqual(faults({}, { strategy: "gate" }), ["federated.root"]);
  assert.deepEqual(faults({}, { settings: { unknown: 1 } }), ["federated.settings"]);
  assert.deepEqual(faults({}, { least: 5 }), ["federated.least"]);
  assert.deepEqual(faults({}, { validators: 1 }), []);
  assert.deepEqual(faults({}, { validators: 1, share: "left-out" }), ["federated.share"]);
  assert.deepEqual(faults({}, { validators: { count: 3, fee: 0.001 }, audit: 1 }), []);
  assert.deepEqual(faults({}, { validators: 1, train: { file: ["train.npz", "../other.npz"] } }), [
    "federated",
  ]);
  const refund = { onCheat: "refund", audit: 1 } as const;
  assert.deepEqual(faults({}, { validators: 2, ...refund }), []);
  assert.deepEqual(faults({}, { validators: 1, ...refund }), ["federated.onCheat"]);
  assert.deepEqual(faults({}, { validators: 2, ...refund, audit: "off" }), ["federated.onCheat"]);
  assert.deepEqual(faults({}, { validators: 8 }), ["federated.validators.count"]);
  assert.deepEqual(faults({}, { validators: 1, silent: "redeal" }), ["federated.silent"]);
  assert.deepEqual(faults({}, { validators: 1, providers: 49 }), ["federated.providers"]);
  const topk = { validators: 1, audit: 1, update: { topk: 0.03 } };
  assert.deepEqual(faults({}, topk), []);
  assert.deepEqual(faults({}, { ...topk, providers: 41 }), ["federated.providers"]);
  const noised = { ...topk, strategy: "fedavg", privacy: { clip: 1, noise: 4 } };
  assert.ok(faults({}, noised).includes("federated.audit"));
  assert.deepEqual(faults({}, { audit: 1 }), ["federated.audit"]);
  assert.deepEqual(faults({}, { windows: { round: "1m" } }), ["federated.windows.round"]);
  assert.deepEqual(faults({}, { model: undefined }), ["federated.model"]);
});

const parsed: FederatedJobFile = federatedJobFileSchema.parse(file);
const spec = federatedSpecSchema.parse({
  ...{ version: 1, name: "digits", image: `sha256:${"0".repeat(64)}`, command: ["train"], tier: "runc" },
  resources: parsed.resources,
  federated: { rounds: 5, local: parsed.federated.local, update: "int8", parameters: 10, start: random32() },
});

test("a validator reads no file of its own that a requester names", () => {
  const rules = jobRulesSchema.parse(rulesIn(parsed.federated));
  assert.equal(kitRulesSchema.safeParse(rules).success, true);
  for (const hostile of ["/etc/passwd", "../../journal.db", "a/../../b", ""]) {
    const source = { ...rules.test, file: hostile };
    for (const change of [{ model: hostile }, { train: source }, { test: source }, { root: source }])
      assert.equal(kitRulesSchema.safeParse({ ...rules, ...change }).success, false, hostile);
    assert.equal(
      kitRulesSchema.safeParse({ ...rules, test: { ...source, file: ["a.npz", hostile] } }).success,
      false,
    );
  }

  function rulesIn(block: object): object {
    return Object.fromEntries(Object.entries(block).filter(([name]) => name in jobRulesSchema.shape));
  }
});

test("providers' own data go with strategies that need none of their rows", () => {
  const own = {
    data: { own: "digits" },
    train: undefined,
    strategy: "root-cosine",
    root: { file: "root.npz" },
  };
  assert.deepEqual(faults({}, own), []);
  assert.deepEqual(faults({}, { train: undefined }), ["federated.train"]);
  assert.deepEqual(faults({}, { ...own, train: federated.train }), ["federated.train"]);
  assert.deepEqual(faults({}, { ...own, strategy: "gate" }), ["federated.strategy"]);
  assert.deepEqual(faults({}, { ...own, pool: "size" }), ["federated.pool"]);
  assert.deepEqual(faults({}, { ...own, silent: "redeal" }), ["federated.silent"]);
  assert.deepEqual(faults({ inputs: ["task.py", "data/x"] }, own), ["inputs"]);
});

test("distillation has public rows, and no other strategy", () => {
  const public_ = { public: { file: "public.npz" } };
  assert.deepEqual(faults({}, { strategy: "distillation", ...public_ }), []);
  assert.deepEqual(faults({}, { strategy: "distillation" }), ["federated.public"]);
  assert.deepEqual(faults({}, public_), ["federated.public"]);
  assert.deepEqual(faults({}, { strategy: "distillation", ...public_, share: "left-out" }), [
    "federated.share",
  ]);
});

test("every field of a spec is in its hash, and its task is one of an ordinary job", () => {
  const hash = federatedSpecHash(spec);
  assert.equal(federatedSpecHash(federatedSpecSchema.parse(JSON.parse(JSON.stringify(spec)))), hash);
  const { resources, federated: rounds } = spec;
  for (const changed of [
    { ...spec, command: ["other"] },
    { ...spec, resources: { ...resources, time: resources.time + 1 } },
    { ...spec, federated: { ...rounds, rounds: 6 } },
    { ...spec, federated: { ...rounds, start: random32() } },
    { ...spec, federated: { ...rounds, local: { ...rounds.local, epochs: 2 } } },
  ])
    assert.notEqual(federatedSpecHash(changed), hash);
  assert.equal(specSchema.safeParse(taskSpecOf(spec)).success, true);
});

test("a provider takes part in what its policy allows and what pays one run of the task", () => {
  const requester = `0x${"11".repeat(20)}` as const;
  const terms: FederatedTerms = {
    ...{ requester, token: ZERO_ADDRESS, roundPrice: 10n ** 16n, seatFee: 0n },
    ...{ providerStake: 10n ** 16n, seatStake: 0n, rounds: 5, least: 3, places: 4, seats: 0 },
    ...{ enlistBy: 1000, roundWindow: 900, disputeWindow: 600 },
    ...{ specHash: random32(), bundleRoot: random32(), seedHash: random32() },
    refunds: false,
  };
  const code = (policy: object, change: Partial<FederatedTerms> = {}, time?: number) =>
    refuseFederated(policySchema.parse(policy), { ...terms, ...change }, { now: 400, ...(time && { time }) })
      ?.code;
  assert.equal(code({}), undefined);
  assert.equal(code({ federated: { accept: false } }), "FEDERATED_NOT_TAKEN");
  assert.equal(code({ federated: { maxRounds: 4 } }), "FEDERATED_TOO_LONG");
  assert.equal(code({ maxWindow: "11m" }), "FEDERATED_TOO_LONG");
  assert.equal(code({ maxWindow: "15m" }, { enlistBy: 1301 }), "FEDERATED_TOO_LONG");
  assert.equal(code({ maxWindow: "15m" }, { disputeWindow: 901 }), "FEDERATED_TOO_LONG");
  assert.equal(code({ maxWindow: "15m", federated: { maxTime: "75m" } }), undefined);
  assert.equal(code({ federated: { maxTime: "74m" } }), "FEDERATED_TOO_LONG");
  assert.equal(code({ maxStake: "0.001" }), "STAKE_TOO_HIGH");
  assert.equal(code({ requesters: { deny: [requester] } }), "REQUESTER_DENIED");
  assert.equal(code({ requesters: { allow: [] } }), "REQUESTER_NOT_ALLOWED");
  assert.equal(code({}, { token: requester }), "TOKEN_UNKNOWN");
  // A quarter of 98 % of a round's price: 0.00245, for a run at 0.01 an hour.
  assert.equal(code({}, {}, 880), undefined);
  assert.equal(code({}, {}, 890), "PRICE_TOO_LOW");
  const policy = policySchema.parse({});
  const { value } = refuseFederated(policy, terms, { now: 400, time: 3600 })!.fix!;
  const enough = BigInt(Math.ceil(Number(value) * 1e9)) * 10n ** 9n;
  assert.equal(
    refuseFederated(policy, { ...terms, roundPrice: enough / 5n }, { now: 400, time: 3600 }),
    undefined,
  );
});
