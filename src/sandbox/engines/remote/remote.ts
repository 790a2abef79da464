import { mkdir, rm } from "node:fs/promises";
import type { AbortOptions } from "../../../async/abort.ts";
import { type ContainerSettings, labels } from "../../policy.ts";
import { type DockerOptions, dockerClient, ignoreStatus } from "../client.ts";
import { dockerEngine } from "../docker.ts";
import type { Engine, EngineInfo } from "../engine.ts";
import { type GenericResource, gpusAmong } from "../resources.ts";
import { packFolder, unpackFolder } from "./archive.ts";

/** The keeper runs this much longer than its task, so that the outputs can be fetched. */
const KEEP_SECONDS = 86_400;
/** Label of a container: the folder on this machine that its /out is copied to. */
const OUT_LABEL = "ichain.out";
/** Label of a run's container and of its keeper: the name of the run's container. */
const NAME_LABEL = "ichain.name";
/** /out is larger than its cap by this much, so that a task that exceeds the cap is detected. */
const OVERFLOW_BYTES = 128 * 1024;

/**
 * A Docker engine on another machine, whose containers cannot mount this machine's folders. Each folder becomes a
 * volume. /in is filled before the start. /out is memory (tmpfs) of the cap's size, which a second container, the
 * keeper, keeps mounted by sleeping until the outputs have been fetched. Archives are read only from containers in
 * which no task is running.
 */
export function remoteEngine(options: DockerOptions): Engine {
  const engine = dockerEngine(options);
  const { docker, call } = dockerClient(options);

  async function volume(
    name: string,
    volumeLabels: object,
    cap: number | undefined,
    abortOptions?: AbortOptions,
  ): Promise<void> {
    const memory = {
      type: "tmpfs",
      device: "tmpfs",
      o: `size=${(cap ?? 0) + OVERFLOW_BYTES},nr_inodes=65536,mode=1777,nosuid,nodev,noexec`,
    };
    const wanted = { Name: name, Labels: volumeLabels, ...(cap === undefined ? {} : { DriverOpts: memory }) };
    await call((each) => docker.createVolume({ ...wanted, ...each } as object), abortOptions);
  }

  async function removeVolume(name: string, abortOptions?: AbortOptions): Promise<void> {
    const gone = call(
      (each) => docker.getVolume(name).remove({ force: true, ...each } as object),
      abortOptions,
    );
    await ignoreStatus(gone, 404);
  }

  return {
    ...engine,

    async info(abortOptions): Promise<EngineInfo> {
      const system = docker as unknown as {
        info(each: object): Promise<{ GenericResources?: GenericResource[] }>;
      };
      const { GenericResources } = await call((each) => system.info(each), abortOptions);
      const gpus = gpusAmong(GenericResources).map((uuid) => ({ uuid, host: "" }));
      // No control groups: they are on the other machine.
      return { ...(await engine.info(abortOptions)), cgroupDriver: "none", remote: true, gpus };
    },

    async create(name, settings, abortOptions) {
      const { HostConfig } = settings;
      const Labels = { ...settings.Labels, [NAME_LABEL]: name };
      const mounts = HostConfig.Mounts.map((mount) => ({
        ...mount,
        volume: `${name}${mount.Target.replace("/", "-")}`,
      }));
      const out = mounts.find((mount) => !mount.ReadOnly);
      for (const { volume: one, ReadOnly } of mounts) {
        await removeVolume(one, abortOptions);
        await volume(one, Labels, ReadOnly ? undefined : Number(settings.Labels[labels.disk]), abortOptions);
      }
      await engine.remove(keeper(name), abortOptions);
      const keeping = {
        ...settings,
        ...keeperSettings(settings),
        Labels,
        HostConfig: {
          ...HostConfig,
          DeviceRequests: [],
          CgroupParent: undefined,
          Mounts: volumeMounts(mounts, false),
        },
      };
      await engine.create(keeper(name), keeping as unknown as ContainerSettings, abortOptions);
      for (const { Source, Target, ReadOnly } of mounts) {
        if (!ReadOnly) continue;
        await call(
          (each) =>
            docker.getContainer(keeper(name)).putArchive(packFolder(Source), { path: Target, ...each }),
          abortOptions,
          true,
        );
      }
      await engine.start(keeper(name), abortOptions);
      const moved = {
        ...settings,
        Labels: { ...Labels, ...(out ? { [OUT_LABEL]: out.Source } : {}) },
        HostConfig: { ...HostConfig, CgroupParent: undefined, Mounts: volumeMounts(mounts, true) },
      };
      return engine.create(name, moved as unknown as ContainerSettings, abortOptions);
    },

    async fetch(name, abortOptions) {
      const state = await engine.inspect(name, abortOptions);
      const into = state?.labels[OUT_LABEL];
      if (state === undefined || into === undefined) return;
      await rm(into, { recursive: true, force: true });
      await mkdir(into, { recursive: true, mode: 0o700 });
      const archive = await call(
        (each) => docker.getContainer(name).getArchive({ path: "/out", ...each }),
        abortOptions,
      );
      const maxBytes = Number(state.labels[labels.disk] ?? 0);
      await unpackFolder(archive, { root: "out", into, maxBytes }, abortOptions);
    },

    async remove(name, abortOptions) {
      const state = await engine.inspect(name, abortOptions);
      const base = state?.labels[NAME_LABEL] ?? name;
      for (const one of [base, keeper(base)]) await engine.remove(one, abortOptions);
      for (const target of ["in", "out"]) await removeVolume(`${base}-${target}`, abortOptions);
    },
  };
}

function keeper(name: string): string {
  return `${name}-keeper`;
}

/** The task's own isolation, with a program that only sleeps. */
function keeperSettings({ Entrypoint }: ContainerSettings) {
  const [program = "", ...rest] = Entrypoint;
  const seconds = Number(rest.pop()) + KEEP_SECONDS;
  return {
    Entrypoint: [program, ...rest, String(seconds)],
    Cmd: ["sleep", String(seconds)],
    WorkingDir: "/",
  };
}

function volumeMounts(
  mounts: readonly { volume: string; Target: string; ReadOnly: boolean }[],
  task: boolean,
) {
  return mounts.map(({ volume: Source, Target, ReadOnly }) => ({
    Type: "volume",
    Source,
    Target,
    ReadOnly: task && ReadOnly,
    VolumeOptions: { NoCopy: true },
  }));
}
