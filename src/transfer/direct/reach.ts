import { BlockList, isIP, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { IchainError } from "../../errors/error.ts";

/** Least port of a hosting; most other services of a network are below. */
const LEAST_PORT = 1024;

/**
 * Blocks with a special meaning (RFC 6890): a configured network wider than one of them does not include it. Loopback,
 * private, shared, link-local (a cloud's metadata service is there), multicast and reserved.
 */
const special: readonly string[] = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "224.0.0.0/3",
  "::/96",
  "::ffff:0:0/96",
  "64:ff9b::/32",
  "fc00::/7",
  "fe80::/10",
  "ff00::/8",
];

/** Where the direct transport may connect to: a locator comes from an untrusted party and can name any address. */
export interface Reach {
  /** @throws TRANSFER_OUT_OF_REACH */
  check(host: string, port: number): void;
}

/**
 * Allows `own`, the address of this machine, and `networks` (CIDR). Without any: the network that this machine's
 * interface has around `own`.
 */
export function reachOf(own: string, networks: readonly string[] | undefined): Reach {
  const allowed = networks ?? interfaceNetworks(own);
  const reaches = (host: string) => {
    const block = special.find((one) => contains(one, host));
    const least = block === undefined ? 0 : prefixOf(block);
    return allowed.some((network) => prefixOf(network) >= least && contains(network, host));
  };
  return {
    check(host, port) {
      if (port < LEAST_PORT || (host !== own && !reaches(host))) throw outOfReach(host, port);
    },
  };
}

function interfaceNetworks(own: string): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.flatMap(({ cidr }) => (cidr !== null && contains(cidr, own) ? [cidr] : []));
}

const prefixOf = (network: string) => Number(network.split("/")[1]);

/** An IPv4 address mapped into IPv6 is not in an IPv4 network. */
function contains(network: string, host: string): boolean {
  const [address = "", prefix] = network.split("/");
  if (isIP(address) !== isIP(host) || isIP(host) === 0) return false;
  const family = isIPv6(host) ? "ipv6" : "ipv4";
  const list = new BlockList();
  list.addSubnet(address, Number(prefix), family);
  return list.check(host, family);
}

function outOfReach(host: string, port: number): IchainError {
  return new IchainError(
    "TRANSFER_OUT_OF_REACH",
    `The locator's address ${host}:${port} is not in the configured networks.`,
    { details: { host, port } },
  );
}
