import type Docker from "dockerode";
import type { AbortOptions } from "../../async/abort.ts";
import { rootDigest } from "../images.ts";
import type { DockerClient } from "./client.ts";
import type { EngineImage } from "./engine.ts";
import { isMissing } from "./faults.ts";

/** Tag that older engines list for an image without one. */
const UNTAGGED = "<none>:<none>";
/** What they list for one without a registry's digest. */
const UNNAMED = "<none>@<none>";

/**
 * A function that lists an engine's images. It inspects each image once, because the id is a hash of everything in an
 * image except its names, which the list contains.
 */
export function imageLister({
  docker,
  call,
}: DockerClient): (options?: AbortOptions) => Promise<EngineImage[]> {
  let known = new Map<string, EngineImage | undefined>();

  async function ask(id: string, options?: AbortOptions): Promise<EngineImage | undefined> {
    try {
      return imageOf(
        await call((abortOptions) => docker.getImage(id).inspect(abortOptions as object), options),
      );
    } catch (error) {
      if (isMissing((error as { cause?: unknown }).cause)) return undefined; // removed since it was listed
      throw error;
    }
  }

  return async (options) => {
    const listed = await call((abortOptions) => docker.listImages(abortOptions), options);
    const entries = await Promise.all(
      listed.map(async ({ Id, RepoTags, RepoDigests }) => {
        const image = known.get(Id) ?? (await ask(Id, options));
        const tags = (RepoTags ?? []).filter((tag) => tag !== UNTAGGED);
        const references = (RepoDigests ?? []).filter((name) => name !== UNNAMED);
        return [Id, image && { ...image, tags, references }] as const;
      }),
    );
    known = new Map(entries);
    return entries.flatMap(([, image]) => image ?? []);
  };
}

/** Undefined for an image without content. */
function imageOf(info: Docker.ImageInspectInfo): EngineImage | undefined {
  const layers = info.RootFS.Layers ?? [];
  if (layers.length === 0) return undefined;
  return {
    id: info.Id,
    tags: info.RepoTags ?? [],
    references: info.RepoDigests ?? [],
    digest: rootDigest(layers),
    bytes: info.Size,
    createdAt: Math.max(0, Date.parse(info.Created)),
    env: info.Config.Env ?? [],
    volumes: Object.keys(info.Config.Volumes ?? {}),
    labels: info.Config.Labels ?? {},
  };
}
