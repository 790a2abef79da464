/** Kind of the generic resource that an engine advertises its GPUs as (`--node-generic-resource`). */
export const GPU_KIND = "NVIDIA-GPU";

/** One entry of `GenericResources` in Docker's API. */
export interface GenericResource {
  readonly NamedResourceSpec?: { readonly Kind: string; readonly Value: string };
}

/** UUIDs of the GPUs among them. */
export function gpusAmong(resources: readonly GenericResource[] | null | undefined): string[] {
  return (resources ?? []).flatMap(({ NamedResourceSpec: named }) =>
    named?.Kind === GPU_KIND && /^(GPU|MIG)-[0-9A-Fa-f-]{8,80}$/.test(named.Value) ? [named.Value] : [],
  );
}
