import type { Parcels } from "../../ports/parcels.ts";
import { filesDigest } from "../../protocol/digest.ts";
import { hashInput } from "./input/input.ts";
import { listFiles } from "./input/walk.ts";
import type { AuthorKeyring } from "./keyring/create.ts";
import { openParcel } from "./open.ts";
import { packParcel } from "./pack.ts";

/** Parcels whose author is the owner of `keyring`. */
export function createParcels({ keyring }: { keyring: AuthorKeyring }): Parcels {
  return {
    pack: (request, options) => packParcel(request, keyring, options),
    open: (request, options) => openParcel(request, options),
    async digest(root, paths, options = {}) {
      const records = [];
      for (const file of await listFiles(root, paths, options)) {
        records.push({ path: file.path, size: file.size, hash: await hashInput(file, options) });
      }
      return filesDigest(records);
    },
  };
}
