import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it, type TestContext } from "node:test";
import { KubeConfig } from "@kubernetes/client-node";
import { isIchainError } from "../../../src/errors/error.ts";
import { kubernetesEngine } from "../../../src/sandbox/engines/kubernetes/kubernetes.ts";
import { createSandbox } from "../../../src/sandbox/sandbox.ts";
import { fakeKubernetesApi } from "../../support/sandbox/fake-kubernetes-api.ts";
import { small } from "../support.ts";

const digest = `sha256:${"1".repeat(64)}`;
const images = [{ name: "ml", digest, reference: `registry.example/ml@sha256:${"2".repeat(64)}` }];

/** A sandbox on a fake API that gives these answers. */
async function clusterSetup(t: TestContext, answers: Parameters<typeof fakeKubernetesApi>[1]) {
  const root = await mkdtemp(join(tmpdir(), "ichain-kubernetes-"));
  t.after(() => rm(root, { recursive: true, force: true }));
  const api = await fakeKubernetesApi(t, answers);
  const { kubeConfig } = api;
  const engine = kubernetesEngine({ kubeConfig, namespace: "jobs", claim: "data", root, images });
  const options = { shared: true, stateDir: join(root, "state"), instance: "one" };
  const inputDir = join(root, "in");
  await mkdir(inputDir);
  return { api, engine, options, inputDir, sandbox: createSandbox({ engine, ...options }) };
}

it("a run creates a NetworkPolicy and a Job, starts, reads and removes them (on a fake API, no cluster)", async (t) => {
  const ended = { exitCode: 3, startedAt: "2026-01-01T00:00:01Z", finishedAt: "2026-01-01T00:00:05Z" };
  const { api, engine, sandbox, inputDir } = await clusterSetup(t, { ended, log: "begun\nand over\n" });
  const run = await sandbox.run({
    id: "task-1",
    image: digest,
    command: ["python3", "task.py"],
    inputDir,
    limits: { ...small, cpus: 1 },
    gpus: [],
  });
  assert.deepEqual([run.ended, run.exitCode, run.log, run.wallSeconds], ["exit", 3, "begun\nand over\n", 4]);
  const [jobs, policies] = [
    "/apis/batch/v1/namespaces/jobs/jobs",
    "/apis/networking.k8s.io/v1/namespaces/jobs/networkpolicies",
  ];
  assert.deepEqual(
    api.requests.filter((each) => !each.startsWith("GET")),
    [
      `POST ${policies} application/json`,
      `POST ${jobs} application/json`,
      `PATCH ${jobs}/ichain-one-task-1 application/merge-patch+json`,
      `DELETE ${jobs}/ichain-one-task-1 application/json`,
      `DELETE ${policies}/ichain-one-task-1 application/json`,
    ],
  );
  assert.equal(api.objects.size, 0);
  assert.ok(api.requests.includes("GET /api/v1/namespaces/jobs/pods/ichain-one-task-1-pod/log"));
  const { cpus, memoryBytes, gpus } = await engine.info();
  assert.deepEqual([cpus, memoryBytes, gpus], [3.92, 2 ** 33, []]);
});

it("a sweep finds what a crash left by its label and removes it, the policy last", async (t) => {
  const { api, engine, sandbox, options, inputDir } = await clusterSetup(t, { ended: {}, log: "" });
  const dying = createSandbox({
    ...options,
    engine: { ...engine, start: () => new Promise(() => undefined) },
  });
  void dying
    .run({ id: "lost", image: digest, command: ["x"], inputDir, limits: small, gpus: [] })
    .catch(() => undefined);
  while (!api.objects.has("jobs/ichain-one-lost")) await engine.ping();
  await sandbox.sweep(new Set(["lost"]));
  assert.equal(api.objects.size, 2);
  await sandbox.sweep(new Set());
  assert.equal(api.objects.size, 0);
});

it("an API that cannot be reached is a retryable error", async () => {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromClusterAndUser(
    { name: "none", server: "http://127.0.0.1:1", skipTLSVerify: true },
    { name: "nobody" },
  );
  const engine = kubernetesEngine({ kubeConfig, namespace: "jobs", claim: "data", root: tmpdir(), images });
  await assert.rejects(
    engine.ping(),
    (error) => isIchainError(error, "DOCKER_UNAVAILABLE") && error.retryable,
  );
});
