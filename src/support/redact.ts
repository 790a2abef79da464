import { isIP } from "node:net";

/** What stands in place of what is left out. */
export const LEFT_OUT = "<left out>";

const URLS = /\b([a-z][a-z0-9+.-]{1,15}):\/\/[^\s"'<>]+/gi;
/** An onion address of version 3, with or without its ending (rend-spec-v3): 56 digits in base 32. */
const ONIONS = /\b[a-z2-7]{56}(?:\.onion)?\b/gi;
/** A word that may be an IP address; `isIP` decides. */
const ADDRESSES = /(?<![\w.:])\[?[0-9a-f]*[.:][0-9a-f:.]*\]?(?::\d+)?/gi;
/** What is before the digest of an image of a registry, which may be a private one. */
const IMAGES = /[\w.-]+(?::\d+)?(?:\/[\w.-]+)+(?=@sha256:)/g;
const USERS = /(\/(?:home|Users)\/)[^/\s"']+/g;
const PRIVATE_HOSTS = /\b[a-z0-9](?:[a-z0-9-]*\.)+(?:local|lan|home|internal|intranet|corp|private|arpa)\b/gi;
const MAILBOXES = /[\w.+-]{1,64}@[a-z][\w-]*(?:\.[\w-]+)+/gi;
/** `password: x`, `token=x`, `Authorization: Bearer x`, also as JSON. */
const NAMED =
  /\b((?:pass(?:word|phrase)|secret|mnemonic|private[ _-]?key|api[ _-]?key|token|authorization|cookie)"?\s*[:=]\s*"?)(?:(?:bearer|basic)\s+)?[^\s",;}]+/gi;
const BEARERS = /\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi;
/**
 * 16 bytes and more: hashes and ids keep their beginning, by which lines are told apart; keys and tokens have the same
 * form. Not 20 bytes, the addresses of accounts.
 */
const HEX = /\b(0x)?([0-9a-f]{8})(?:[0-9a-f]{24,31}|[0-9a-f]{33,})\b/gi;
/** Long words in base 64 or base 58: keys, capsules, ciphertext. Addresses of accounts are shorter, in hexadecimal. */
const BLOBS = /[A-Za-z0-9+/_-]{44,}={0,2}/g;

/** Texts of this machine that are left out wherever they stand, with what stands in their place. */
export type Known = readonly (readonly [text: string, instead: string])[];

/**
 * A text without what opens or locates something: credentials, paths and keys in URLs, hosts that are not of the public
 * internet, onion and IP addresses but loopback, keys, e-mail addresses.
 */
export function redactText(text: string, known: Known = []): string {
  let left = text;
  for (const [each, instead] of known) if (each.length > 2) left = left.replaceAll(each, instead);
  return left
    .replace(URLS, (url) => redactUrl(url))
    .replace(NAMED, `$1${LEFT_OUT}`)
    .replace(BEARERS, `$1 ${LEFT_OUT}`)
    .replace(ONIONS, "<onion>")
    .replace(IMAGES, "<image>")
    .replace(USERS, "$1<user>")
    .replace(MAILBOXES, "<mailbox>")
    .replace(PRIVATE_HOSTS, "<host>")
    .replace(ADDRESSES, (word) => redactAddress(word))
    .replace(HEX, "$1$2…")
    .replace(BLOBS, LEFT_OUT);
}

/** Hosts that serve many: that a node is theirs tells what to expect of it, and not whose account it is. */
const PUBLIC = new Set(
  [
    [
      "alchemy.com",
      "ankr.com",
      "arbitrum.io",
      "base.org",
      "blastapi.io",
      "chainstack.com",
      "cloudflare-eth.com",
    ],
    ["drpc.org", "infura.io", "llamarpc.com", "optimism.io", "publicnode.com", "quiknode.pro", "tenderly.co"],
  ].flat(),
);

/** The scheme, and the host where it is loopback or serves many: what is before its name or follows may be a key. */
export function redactUrl(url: string): string {
  const scheme = url.slice(0, url.indexOf(":"));
  return `${scheme}://${shownHost(hostOf(url)) ?? "<host>"}/…`;
}

/** What may be shown of a host; undefined where it is one of few. */
export function shownHost(host: string): string | undefined {
  if (host === "localhost" || isLoopback(host)) return host;
  const domain = host.split(".").slice(-2).join(".");
  return PUBLIC.has(domain) ? domain : undefined;
}

/** In lower case, without brackets; empty where there is none. */
export function hostOf(url: string): string {
  const [authority = ""] = url.replace(/^[^:]+:\/\//, "").split(/[/?#\\]/, 1);
  const host = authority.split("@").at(-1) ?? "";
  return host
    .replace(/:\d+$/, "")
    .replace(/^\[|\]$/g, "")
    .toLowerCase();
}

/** Words that begin with `0.` are versions, such as tor's. */
function redactAddress(word: string): string {
  const [, bracketed] = /^\[(.*)\](?::\d+)?$/.exec(word) ?? [];
  const bare = (bracketed ?? word).replace(/\.+$/, "");
  const host = isIP(bare) === 0 ? bare.replace(/:\d*$/, "") : bare;
  if (isIP(host) === 0 || isLoopback(host) || host.startsWith("0.")) return word;
  return "<address>";
}

function isLoopback(host: string): boolean {
  return host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/** The same value, each text in it redacted. */
export function redactValue(value: unknown, known: Known = []): unknown {
  if (typeof value === "string") return redactText(value, known);
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return value.map((item) => redactValue(item, known));
  if (typeof value !== "object" || value === null) return typeof value === "function" ? undefined : value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [redactText(name, known), redactValue(item, known)]),
  );
}
