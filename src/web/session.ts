import { randomBytes, timingSafeEqual } from "node:crypto";

const BYTES = 32;

/** Who may use the page: the browser that came with the link's token, once. */
export interface Session {
  /** In the link's fragment, which browsers send to no server. */
  readonly token: string;
  /** The secret of the cookie, for the first who shows the token; undefined for all later ones. */
  exchange(token: string): string | undefined;
  holds(secret: string | undefined): boolean;
}

export function createSession(): Session {
  const token = randomBytes(BYTES).toString("base64url");
  const secret = randomBytes(BYTES).toString("base64url");
  let isUsed = false;
  return {
    token,
    exchange(shown) {
      if (isUsed || !isSame(shown, token)) return undefined;
      isUsed = true;
      return secret;
    },
    holds: (shown) => isUsed && shown !== undefined && isSame(shown, secret),
  };
}

function isSame(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)];
  return one.length === other.length && timingSafeEqual(one, other);
}
