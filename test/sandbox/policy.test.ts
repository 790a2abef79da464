import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isIchainError } from "../../src/errors/error.ts";
import type { Limits, SandboxTask } from "../../src/ports/sandbox.ts";
import { tighten } from "../../src/sandbox/limits.ts";
import {
  type ContainerSettings,
  containerSettings,
  type Placement,
  uidOf,
} from "../../src/sandbox/policy.ts";
import seccomp from "../../src/sandbox/seccomp.json" with { type: "json" };

const GIB = 2 ** 30;
const ceiling: Limits = {
  cpus: 4,
  memoryBytes: 8 * GIB,
  diskBytes: 20 * GIB,
  wallSeconds: 3600,
  pids: 256,
  logBytes: 2 ** 20,
};
const place: Placement = {
  instance: "p1",
  imageId: "sha256:held",
  limits: ceiling,
  outDir: "/state/runs/x/out",
  runtime: { name: undefined, ownPids: 0, deadline: "/usr/lib/ichain/deadline" },
  cgroupParent: "/ichain-p1-x",
  deadline: 1_800_000_000,
};

const anyNumber = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(0, -1, Infinity, -Infinity, Number.NaN, 2 ** 60),
);
const anyLimits: fc.Arbitrary<Limits> = fc.record({
  cpus: anyNumber,
  memoryBytes: anyNumber,
  diskBytes: anyNumber,
  wallSeconds: anyNumber,
  pids: anyNumber,
  logBytes: anyNumber,
});
const enough = fc.double({ min: 2 ** 24, max: 2 ** 62, noNaN: true });
const greedyLimits: fc.Arbitrary<Limits> = fc.record({
  cpus: enough,
  memoryBytes: enough,
  diskBytes: enough,
  wallSeconds: enough,
  pids: enough,
  logBytes: enough,
});
const word = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.constantFrom(
    "--privileged",
    "-k",
    "seccomp=unconfined",
    "/var/run/docker.sock:/x",
    "../..",
    "\0",
    "all",
  ),
);
const uuid = fc.oneof(
  fc.constantFrom(
    "all",
    "0",
    "GPU-1b2c3d4e-0000-0000-0000-000000000000",
    "MIG-1b2c3d4e-0000-0000-0000-000000000000",
  ),
  word,
);
const anyTask: fc.Arbitrary<SandboxTask> = fc.record({
  id: fc.oneof(fc.stringMatching(/^[a-z0-9-]{1,40}$/), word),
  image: word,
  command: fc.array(word, { maxLength: 8 }),
  inputDir: fc.constant("/state/in"),
  resultDir: fc.option(fc.constant("/state/result"), { nil: undefined }),
  limits: fc.oneof(anyLimits, greedyLimits),
  gpus: fc.array(uuid, { maxLength: 3 }),
});

/** The settings, or undefined when the policy refused the task. */
function settingsOf(task: SandboxTask): { settings: ContainerSettings; limits: Limits } | undefined {
  try {
    const limits = tighten(task.limits, ceiling);
    return { settings: containerSettings(task, { ...place, limits }), limits };
  } catch (error) {
    assert.ok(isIchainError(error) && error.class === "refused", String(error));
    return undefined;
  }
}

test("no limit of a run exceeds the machine's, whatever the job asks for", () => {
  fc.assert(
    fc.property(anyLimits, (asked) => {
      try {
        const limits = tighten(asked, ceiling);
        for (const name of Object.keys(ceiling) as (keyof Limits)[]) {
          assert.ok(limits[name] > 0 && limits[name] <= ceiling[name], `${name}: ${limits[name]}`);
        }
      } catch (error) {
        assert.ok(isIchainError(error, "LIMITS_INVALID"), String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

test("a container has every restriction, whatever the job asks for", () => {
  let accepted = 0;
  fc.assert(
    fc.property(anyTask, (task) => {
      const made = settingsOf(task);
      if (made === undefined) return;
      accepted++;
      assertRestricted(made.settings, made.limits, task);
    }),
    { numRuns: 3000 },
  );
  assert.ok(accepted > 50, `only ${accepted} tasks were accepted`);
});

test("two jobs with the same limits differ only in command, name, user and GPUs", () => {
  fc.assert(
    fc.property(anyTask, anyTask, (one, other) => {
      const [a, b] = [
        settingsOf({ ...one, limits: ceiling }),
        settingsOf({ ...other, limits: ceiling, resultDir: one.resultDir }),
      ];
      if (a === undefined || b === undefined) return;
      assert.deepEqual(withoutOwn(a.settings), withoutOwn(b.settings));
    }),
    { numRuns: 3000 },
  );
});

function assertRestricted(settings: ContainerSettings, limits: Limits, task: SandboxTask): void {
  const host = settings.HostConfig;
  const [uid, gid] = settings.User.split(":").map(Number);
  assert.ok(uid! >= 50_000 && uid! < 65_000 && gid === uid);
  assert.equal(uid, uidOf(task.id));
  assert.equal(settings.Image, place.imageId);
  assert.deepEqual(
    [
      host.NetworkMode,
      host.ReadonlyRootfs,
      host.Privileged,
      host.IpcMode,
      host.CgroupnsMode,
      host.AutoRemove,
    ],
    ["none", true, false, "private", "private", false],
  );
  assert.deepEqual(host.CapDrop, ["ALL"]);
  assert.deepEqual(host.SecurityOpt, ["no-new-privileges", `seccomp=${JSON.stringify(seccomp)}`]);
  assert.equal(host.MemorySwap, host.Memory);
  assert.ok(host.Memory <= ceiling.memoryBytes && host.Memory === limits.memoryBytes);
  assert.ok(host.NanoCpus > 0 && host.NanoCpus <= ceiling.cpus * 1e9);
  assert.ok(host.PidsLimit > 0 && host.PidsLimit <= ceiling.pids);
  assert.ok(host.Ulimits.every(({ Soft, Hard }) => Soft === Hard));
  assert.equal(host.Ulimits.find(({ Name }) => Name === "core")?.Hard, 0);
  assert.match(host.Tmpfs["/tmp"], /nosuid,nodev,mode=1777,size=\d+,nr_inodes=\d+$/);
  assert.deepEqual(settings.Entrypoint.slice(0, 1), [place.runtime.deadline]);
  assert.ok(Number(settings.Entrypoint.at(-1)) <= ceiling.wallSeconds + 3);
  assert.deepEqual(settings.Cmd, task.command);
  assert.deepEqual(
    host.Mounts.map(({ Target, ReadOnly, Source }) => [Target, ReadOnly, Source]),
    [
      ["/in", true, "/state/in"],
      ["/out", false, "/state/runs/x/out"],
    ],
  );
  for (const key of [
    "Binds",
    "Devices",
    "VolumesFrom",
    "PidMode",
    "UsernsMode",
    "UTSMode",
    "CapAdd",
    "Links",
    "Sysctls",
    "ExtraHosts",
    "GroupAdd",
  ]) {
    assert.ok(!(key in host), key);
  }
  const request = "DeviceRequests" in host ? host.DeviceRequests : undefined;
  assert.equal(request === undefined, task.gpus.length === 0);
  for (const uuid of request?.[0]?.DeviceIDs ?? []) assert.match(uuid, /^(GPU|MIG)-[0-9a-f-]+$/i);
  assert.ok(request === undefined || !("Count" in request[0]!));
}

function withoutOwn({ Cmd, Labels, User, Env, HostConfig, ...rest }: ContainerSettings) {
  const { DeviceRequests, ...host } = HostConfig as typeof HostConfig & { DeviceRequests?: unknown };
  return {
    ...rest,
    HostConfig: host,
    labels: Object.keys(Labels),
    Env: Env.filter((entry) => !entry.startsWith("NVIDIA_VISIBLE_DEVICES=")),
  };
}

test("the seccomp filter allows no dangerous call, and no conditional call without its condition", () => {
  const open = new Set(
    seccomp.syscalls
      .filter((rule) => !("args" in rule) && rule.action === "SCMP_ACT_ALLOW")
      .flatMap(({ names }) => names),
  );
  const conditional = seccomp.syscalls.filter((rule) => "args" in rule).flatMap(({ names }) => names);
  assert.deepEqual(
    conditional.filter((name) => open.has(name)),
    [],
    "a rule without a condition allows the call anyway",
  );
  const closed =
    "bpf clone clone3 io_uring_setup keyctl add_key userfaultfd perf_event_open ptrace process_vm_writev pidfd_getfd mount umount2 setns unshare pivot_root chroot open_by_handle_at init_module kexec_load";
  assert.deepEqual(
    closed.split(" ").filter((name) => open.has(name)),
    [],
  );
  assert.equal(seccomp.defaultAction, "SCMP_ACT_ERRNO");
});

test("data of the owner's own are mounted read-only, whatever else the task asks for", () => {
  const task: SandboxTask = {
    ...{ id: "own", image: "sha256:held", command: ["train"], inputDir: "/state/in", gpus: [] },
    ...{ dataDir: "/srv/digits", limits: tighten(ceiling, ceiling) },
  };
  const { Mounts } = containerSettings(task, place).HostConfig;
  assert.deepEqual(
    Mounts.map(({ Source, Target, ReadOnly }) => [Source, Target, ReadOnly]),
    [
      ["/state/in", "/in", true],
      ["/srv/digits", "/in/data", true],
      ["/state/runs/x/out", "/out", false],
    ],
  );
});
