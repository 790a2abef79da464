import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import type { z } from "zod";
import { IchainError } from "../../../errors/error.ts";
import type { Keyring } from "../../../ports/parcels.ts";
import { toHex } from "../../../protocol/bytes.ts";
import type { Hex, JobId } from "../../../protocol/ids.ts";
import { NOTICE_MAX_BYTES } from "../../../protocol/limits.ts";
import { tokenFor } from "../../../protocol/parcel/locator.ts";

const NONCE = 12;
const TAG = 16;

/**
 * What the requester and one provider of a federated job share without a message: keys that follow from what their onion
 * keys agree on. Another provider of the job can derive none of it.
 */
export interface Channel {
  /** Of the feed in which the requester tells this provider of rounds. */
  readonly feed: Hex;
  /** Of the feed in which one seat tells another what it makes of a round. */
  readonly proposals: Hex;
  /** Where the two meet for one purpose: a seed of `Transport.meetingPoint`. */
  meeting(purpose: string): Hex;
  /** The other's token for a host whose own is `base`. */
  token(base: Hex): Hex;
  /** AES-256-GCM under a random nonce. */
  seal(message: unknown): Uint8Array;
  /** @throws FEDERATED_MESSAGE_INVALID */
  open<T>(sealed: Uint8Array, schema: z.ZodType<T>): T;
}

/**
 * The channel with the owner of `onionKey`; the same on both sides.
 * @throws KEY_UNUSABLE
 */
export async function channelWith(
  keyring: Pick<Keyring, "agree">,
  onionKey: Hex,
  job: JobId,
): Promise<Channel> {
  const secret = await keyring.agree(onionKey, `federated/${job.toLowerCase()}`);
  const derive = (purpose: string) =>
    new Uint8Array(
      hkdfSync("sha256", Buffer.from(secret.slice(2), "hex"), "", `ichain/federated/1/${purpose}`, 32),
    );
  const [key, reader] = [derive("messages"), toHex(derive("token"))];
  const about = Buffer.from(job.toLowerCase());
  return {
    feed: toHex(derive("feed")),
    proposals: toHex(derive("proposals")),
    meeting: (purpose) => toHex(derive(`meeting/${purpose}`)),
    token: (base) => tokenFor(base, reader),
    seal(message) {
      const nonce = randomBytes(NONCE);
      const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(about);
      const body = [cipher.update(JSON.stringify(message), "utf8"), cipher.final(), cipher.getAuthTag()];
      return Buffer.concat([nonce, ...body]);
    },
    open<T>(sealed: Uint8Array, schema: z.ZodType<T>): T {
      if (sealed.length > NOTICE_MAX_BYTES || sealed.length < NONCE + TAG)
        throw malformed("its size is none");
      let value: unknown;
      try {
        const cipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, NONCE), { authTagLength: TAG })
          .setAAD(about)
          .setAuthTag(sealed.subarray(-TAG));
        const plain = Buffer.concat([cipher.update(sealed.subarray(NONCE, -TAG)), cipher.final()]);
        value = JSON.parse(plain.toString("utf8"));
      } catch (cause) {
        throw malformed("it is not sealed with this job's keys", cause);
      }
      const { data, error } = schema.safeParse(value);
      if (error) throw malformed(`its field ${error.issues[0]?.path.join(".") ?? ""} is not valid`);
      return data as T;
    },
  };
}

function malformed(why: string, cause?: unknown): IchainError {
  return new IchainError(
    "FEDERATED_MESSAGE_INVALID",
    `A message of the job's other party cannot be used: ${why}.`,
    {
      cause,
    },
  );
}
