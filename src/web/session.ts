import { randomBytes, timingSafeEqual } from "node:crypto";

const BYTES = 32;

/**
 * What a browser that was let in shows with each request. The cookie is kept from scripts, and goes to every port of this
 * address, also to other users' servers; the key is kept from other ports, and can be read by the page's scripts. Neither
 * alone is worth anything.
 */
export interface Credentials {
  readonly cookie: string;
  readonly key: string;
}

/** Who may use the page: the browser that came with the link's token, once. */
export interface Session {
  /** In the link's fragment, which browsers send to no server. */
  readonly token: string;
  /** For the first who shows the token; undefined for all later ones. */
  exchange(token: string): Credentials | undefined;
  holds(shown: { readonly [Name in keyof Credentials]: string | undefined }): boolean;
}

export function createSession(): Session {
  const [token, cookie, key] = [randomText(), randomText(), randomText()];
  let isUsed = false;
  return {
    token,
    exchange(shown) {
      if (isUsed || !isSame(shown, token)) return undefined;
      isUsed = true;
      return { cookie, key };
    },
    holds: (shown) => isUsed && isSame(shown.cookie, cookie) && isSame(shown.key, key),
  };
}

const randomText = (): string => randomBytes(BYTES).toString("base64url");

function isSame(shown: string | undefined, secret: string): boolean {
  const [one, other] = [Buffer.from(shown ?? ""), Buffer.from(secret)];
  return one.length === other.length && timingSafeEqual(one, other);
}
