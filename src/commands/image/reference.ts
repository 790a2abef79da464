import { IchainError } from "../../errors/error.ts";
import { pulledImageSchema } from "../../protocol/task/pulled-image.ts";
import type { CommandContext } from "../framework/declaration.ts";

/**
 * The name as a job takes it.
 * @throws IMAGE_NAME_INVALID
 */
export function checkedReference(oci: string): string {
  const { success, error } = pulledImageSchema.safeParse(oci);
  if (success) return oci;
  const [name] = oci.split("@");
  throw new IchainError(
    "IMAGE_NAME_INVALID",
    `A job cannot name the image ${name}: it ${error.issues[0]?.message}.`,
  );
}

export function shown({ ui }: CommandContext, oci: string): void {
  ui.print({ oci }, () => `image: {oci: "${oci}"}`);
}
