import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { isIchainError } from "../../../src/errors/error.ts";
import { serviceName, serviceSpec } from "../../../src/sandbox/engines/swarm/spec.ts";
import {
  ENDED_LABEL,
  type Service,
  type SwarmTask,
  serviceState,
} from "../../../src/sandbox/engines/swarm/state.ts";
import { containerSettings } from "../../../src/sandbox/policy.ts";
import { checkIsolation } from "../../../src/sandbox/probe/isolation.ts";

const GPU = "GPU-11111111-2222-3333-4444-555555555555";

it("a service has one run, no capabilities, no network and reserved limits, whatever the task", () => {
  const task = fc.record({
    id: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,30}$/),
    command: fc.array(
      fc.string({ minLength: 1 }).filter((word) => !word.includes("\0")),
      { minLength: 1 },
    ),
    cpus: fc.double({ min: 0.01, max: 64, noNaN: true }),
    memoryBytes: fc.integer({ min: 2 ** 24, max: 2 ** 40 }),
    pids: fc.integer({ min: 4, max: 4096 }),
    gpus: fc.integer({ min: 0, max: 4 }),
  });
  fc.assert(
    fc.property(task, ({ id, command, cpus, memoryBytes, pids, gpus }) => {
      const limits = { cpus, memoryBytes, diskBytes: 2 ** 20, wallSeconds: 60, pids, logBytes: 4096 };
      const settings = containerSettings(
        { id, image: "", command, inputDir: "/i", limits, gpus: Array(gpus).fill(GPU) },
        {
          instance: "one",
          imageId: "sha256:00",
          limits,
          outDir: "/out-dir",
          runtime: { name: undefined, ownPids: 0, deadline: "/deadline" },
          cgroupParent: undefined,
          deadline: 1,
        },
      );
      const { Mode, TaskTemplate, ...rest } = serviceSpec("name", settings, ["node.id==n"]);
      assert.deepEqual(Mode, { ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 0 } });
      assert.deepEqual(Object.keys(rest).sort(), ["Labels", "Name"]); // no port, no update rule
      const { ContainerSpec: spec, Resources, RestartPolicy, Networks, Placement } = TaskTemplate;
      assert.equal(RestartPolicy.Condition, "none");
      assert.deepEqual(Networks, []);
      assert.deepEqual(Placement.Constraints, ["node.id==n"]);
      assert.deepEqual(
        [spec.ReadOnly, spec.CapabilityDrop, spec.CapabilityAdd, spec.TTY],
        [true, ["ALL"], [], false],
      );
      assert.equal(spec.Image, "sha256:00");
      assert.deepEqual(spec.Args, command);
      assert.match(spec.User, /^[5-6]\d{4}:[5-6]\d{4}$/);
      assert.equal(Resources.Limits.Pids, pids);
      assert.equal(Resources.Limits.MemoryBytes, memoryBytes);
      assert.equal(Resources.Reservations.MemoryBytes, memoryBytes);
      assert.equal(Resources.Reservations.GenericResources[0]?.DiscreteResourceSpec.Value ?? 0, gpus);
      const mounts = spec.Mounts.map(({ Type, Target }) => `${Type} ${Target}`);
      assert.deepEqual(mounts, ["bind /in", "bind /out", "tmpfs /tmp", "tmpfs /dev/shm"]);
    }),
  );
});

it("the state of a service follows from its newest task", () => {
  const service = (labels = {}): Service => ({
    ID: "s",
    Version: { Index: 1 },
    Spec: { Name: "n", Labels: labels, TaskTemplate: { ContainerSpec: { Image: "i" } }, Mode: {} },
  });
  const task = (State: string, ContainerStatus = {}, DesiredState = "complete"): SwarmTask => ({
    ID: "t",
    NodeID: "n",
    CreatedAt: "2026-01-01T00:00:00.5Z",
    DesiredState,
    Status: { Timestamp: "2026-01-01T00:00:02Z", State, ContainerStatus },
  });
  const stateOf = (...args: Parameters<typeof serviceState>) => {
    const { status, exitCode, startedAt, finishedAt } = serviceState(...args);
    return [status, exitCode, finishedAt > 0 ? finishedAt - startedAt : 0];
  };
  const ran = { ContainerID: "c", ExitCode: 3 };
  const killed = service({ [ENDED_LABEL]: "5" });
  assert.deepEqual(stateOf(service(), undefined), ["created", 0, 0]);
  assert.deepEqual(stateOf(service(), task("pending")), ["running", 0, 0]);
  assert.deepEqual(stateOf(service(), task("running", ran)), ["running", 0, 0]);
  assert.deepEqual(stateOf(service(), task("failed", ran)), ["exited", 3, 1500]);
  assert.deepEqual(stateOf(service(), task("complete", { ContainerID: "c", ExitCode: 0 })), [
    "exited",
    0,
    1500,
  ]);
  assert.deepEqual(stateOf(service(), task("rejected")), ["other", 0, 0]);
  assert.deepEqual(stateOf(service(), task("orphaned", ran)), ["other", 0, 0]);
  assert.deepEqual(stateOf(killed, task("running", ran, "remove")), ["running", 0, 0]);
  assert.deepEqual(stateOf(killed, undefined), ["exited", 137, 5]);
});

it("an engine is refused when part of the isolation is missing or was not reported", () => {
  const net = "Inter-| Receive\n face |bytes\n    lo: 0 0";
  const status = "Name: sh\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2";
  const log = (parts: { net?: string; status?: string; kernel?: string }) =>
    `=status\n${parts.status ?? status}\n=net\n${parts.net ?? net}\n=kernel\n${parts.kernel ?? ""}\n`;
  const here = { name: "here" };
  checkIsolation(log({}), here);
  checkIsolation(log({ status: "Name: sh", kernel: "[ 0.0] Starting gVisor..." }), here);
  const pod = log({ net: `${net}\n  eth0: 0 0` });
  checkIsolation(`${pod}=reach\ntried\n`, { ...here, networkFiltered: true });
  for (const reach of ["tried\nreached", ""])
    assert.throws(
      () => checkIsolation(`${pod}=reach\n${reach}\n`, { ...here, networkFiltered: true }),
      (error) => isIchainError(error, "SANDBOX_OPEN"),
    );
  const open = [
    log({ net: `${net}\n  eth0: 0 0` }),
    log({ net: `${net}\n  eth0: 0 0`, kernel: "Starting gVisor..." }),
    log({ status: status.replace("NoNewPrivs:\t1", "NoNewPrivs:\t0") }),
    log({ status: status.replace("Seccomp:\t2", "Seccomp:\t0") }),
    log({ status: status.replace("0000000000000000", "00000000a80425fb") }),
    "",
  ];
  for (const one of open)
    assert.throws(
      () => checkIsolation(one, here),
      (error) => isIchainError(error, "SANDBOX_OPEN"),
    );
});

it("names of any length become different names that Swarm accepts", () => {
  const long = `ichain-${"a".repeat(70)}`;
  assert.equal(serviceName("ichain-one-task"), "ichain-one-task");
  assert.equal(serviceName(long).length, 63);
  assert.equal(serviceName(long), serviceName(long));
  assert.notEqual(serviceName(`${long}-produce`), serviceName(`${long}-evaluate`));
});
