import { GPU_UUID } from "../policy.ts";

/** Kind of the generic resource that an engine advertises its GPUs as (`--node-generic-resource`). */
export const GPU_KIND = "NVIDIA-GPU";

/** One entry of `GenericResources` in Docker's API. */
export interface GenericResource {
  readonly NamedResourceSpec?: { readonly Kind: string; readonly Value: string };
}

/** UUIDs of the GPUs among an engine's generic resources. */
export function gpusAmong(resources: readonly GenericResource[] | null | undefined): string[] {
  return (resources ?? []).flatMap(({ NamedResourceSpec: named }) =>
    named?.Kind === GPU_KIND && GPU_UUID.test(named.Value) ? [named.Value] : [],
  );
}
