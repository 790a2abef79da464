import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { isIchainError } from "../../src/errors/error.ts";
import {
  chooseGpuWay,
  type DriverPlaces,
  findGpuNodes,
  parseInformation,
} from "../../src/sandbox/gpus/gpu-devices.ts";
import { containerSettings } from "../../src/sandbox/policy.ts";
import { needs } from "../support/require.ts";
import { small } from "./support.ts";

const uuid = (n: number) => `GPU-${n}1111111-2222-3333-4444-555555555555`;
const information = (n: number) =>
  [
    "Model: \t\t NVIDIA L40S",
    "IRQ:   \t\t 120",
    `GPU UUID: \t ${uuid(n)}`,
    "Bus Location: \t 0000:01:00.0",
    `Device Minor: \t ${n}`,
    "GPU Excluded:\t No",
  ].join("\n");

/** The parts of a driver with two GPUs, in a folder of their own: nodes of /dev/null's kind. */
async function fakeDriver(t: TestContext): Promise<DriverPlaces> {
  const dir = await mkdtemp(join(tmpdir(), "ichain-driver-"));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const [proc, dev, library] = ["gpus", "dev", "lib"].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ];
  for (const folder of [dev, library]) await mkdir(folder);
  for (const n of [0, 1]) {
    await mkdir(join(proc, `0000:0${n}:00.0`), { recursive: true });
    await writeFile(join(proc, `0000:0${n}:00.0`, "information"), information(n));
  }
  for (const name of ["nvidiactl", "nvidia-uvm", "nvidia0", "nvidia1"])
    execFileSync("mknod", [join(dev, name), "c", "1", "3"]);
  for (const name of ["libcuda.so.570.1", "libnvidia-ml.so.570.1", "libGL.so.1"])
    await writeFile(join(library, name), "", { mode: 0o644 });
  await symlink("libcuda.so.570.1", join(library, "libcuda.so.1"));
  await symlink("libnvidia-ml.so.570.1", join(library, "libnvidia-ml.so.1"));
  return { proc, dev, libraries: [join(dir, "none"), library], toolkit: [join(dir, "hook")] };
}

const refused = (error: unknown) => isIchainError(error, "GPU_UNREACHABLE") && error.class === "refused";

test("a GPU's minor number is read from what the driver tells, and nothing else is", () => {
  assert.deepEqual(parseInformation(information(1)), [[uuid(1), 1]]);
  for (const text of ["", "Device Minor: 1", `GPU UUID: ${uuid(1)}`, `GPU UUID: all\nDevice Minor: 1`])
    assert.deepEqual(parseInformation(text), []);
});

test("a task gets the nodes of its own GPUs and the listed libraries", needs("root"), async (t) => {
  const places = await fakeDriver(t);
  const found = await findGpuNodes([uuid(1)], places);
  assert.deepEqual(
    found.devices,
    ["nvidiactl", "nvidia-uvm", "nvidia1"].map((name) => join(places.dev, name)),
  );
  assert.deepEqual(found.libraries, [
    { source: join(places.libraries[1]!, "libcuda.so.570.1"), name: "libcuda.so.1" },
    { source: join(places.libraries[1]!, "libnvidia-ml.so.570.1"), name: "libnvidia-ml.so.1" },
  ]);
});

test(
  "what is no GPU, no device node or no library of root's alone is not bound",
  needs("root"),
  async (t) => {
    const places = await fakeDriver(t);
    for (const name of [uuid(7), uuid(0).replace("GPU", "MIG"), "all", "../nvidia0"])
      await assert.rejects(findGpuNodes([name], places), refused);
    await chmod(join(places.libraries[1]!, "libnvidia-ml.so.570.1"), 0o666);
    await assert.rejects(findGpuNodes([uuid(0)], places), refused);
    await chmod(join(places.libraries[1]!, "libnvidia-ml.so.570.1"), 0o644);
    await rm(join(places.dev, "nvidia0"));
    await symlink("/dev/null", join(places.dev, "nvidia0"));
    await assert.rejects(findGpuNodes([uuid(0)], places), refused);
    await rm(join(places.libraries[1]!, "libcuda.so.1"));
    await assert.rejects(findGpuNodes([uuid(1)], places), refused);
  },
);

test(
  "the toolkit is preferred where it is, and device nodes where only the driver is",
  needs("root"),
  async (t) => {
    const places = await fakeDriver(t);
    assert.equal(await chooseGpuWay("auto", ["runc"], places), "devices");
    assert.equal(await chooseGpuWay("auto", ["runc", "nvidia"], places), "toolkit");
    assert.equal(await chooseGpuWay("toolkit", ["runc"], places), "toolkit");
    assert.equal(await chooseGpuWay("devices", ["nvidia"], places), "devices");
    await writeFile(places.toolkit[0]!, "");
    assert.equal(await chooseGpuWay("auto", ["runc"], places), "toolkit");
    const without = { ...places, proc: join(places.proc, "none"), toolkit: [] };
    assert.equal(await chooseGpuWay("auto", ["runc"], without), "toolkit");
  },
);

test("a container has the nodes without the right to make any, and every other restriction", () => {
  const task = { id: "a", image: "i", command: ["x"], inputDir: "/i", limits: small, gpus: [uuid(1)] };
  const runtime = { name: undefined, ownPids: 0, deadline: "/usr/lib/ichain/deadline" };
  const place = {
    ...{ instance: "p", imageId: "sha256:held", limits: small, outDir: "/o", runtime },
    ...{ cgroupParent: undefined, deadline: 1 },
  };
  const gpuNodes = {
    devices: ["/dev/nvidiactl", "/dev/nvidia1"],
    libraries: [{ source: "/usr/lib/libcuda.so.570.1", name: "libcuda.so.1" }],
  };
  const plain = containerSettings({ ...task, gpus: [] }, { ...place, gpuNodes });
  const bound = containerSettings(task, { ...place, gpuNodes, imageLibraries: "/opt/lib" });
  const { Devices, Mounts, ...host } = bound.HostConfig as typeof bound.HostConfig & { Devices: unknown };
  assert.deepEqual(Devices, [
    { PathOnHost: "/dev/nvidiactl", PathInContainer: "/dev/nvidiactl", CgroupPermissions: "rw" },
    { PathOnHost: "/dev/nvidia1", PathInContainer: "/dev/nvidia1", CgroupPermissions: "rw" },
  ]);
  assert.deepEqual(Mounts.at(-1), {
    Type: "bind",
    Source: "/usr/lib/libcuda.so.570.1",
    Target: "/usr/local/nvidia/lib64/libcuda.so.1",
    ReadOnly: true,
    BindOptions: { Propagation: "rprivate" },
  });
  assert.equal(bound.Env.at(-1), "LD_LIBRARY_PATH=/usr/local/nvidia/lib64:/opt/lib");
  const { Mounts: plainMounts, ...plainHost } = plain.HostConfig;
  assert.deepEqual([plainHost, plainMounts], [host, Mounts.slice(0, -1)]);
  assert.equal(
    plain.Env.some((entry) => entry.startsWith("LD_LIBRARY_PATH=")),
    false,
  );
  const asked = containerSettings(task, place).HostConfig;
  assert.deepEqual(["Devices" in asked, "DeviceRequests" in asked], [false, true]);
});
