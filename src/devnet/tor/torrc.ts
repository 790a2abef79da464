/** One directory authority of the private network. */
export interface Authority {
  readonly nickname: string;
  readonly address: string;
  /** 40 hex digits each: the v3 identity that signs the consensus, and the relay's own. */
  readonly identity: string;
  readonly fingerprint: string;
}

/** Each node has a loopback address of its own, so ports can be the same everywhere. */
export const OR_PORT = 9001;
/** Where a relay listens when a forwarder listens at `OR_PORT`. */
export const HIDDEN_OR_PORT = 9002;
const DIR_PORT = 9030;

/** Seconds for each half of the first vote: tor's own lower bound. */
const FIRST_DELAY_S = 2;

/** Milliseconds from the opening of the first vote to the consensus. */
export const VOTE_MS = 2 * FIRST_DELAY_S * 1000;

/** Lines that every tor of the private network needs: clients, relays and authorities. */
export function networkLines(authorities: readonly Authority[]): string[] {
  return [
    "TestingTorNetwork 1",
    ...authorities.map(
      (a) =>
        `DirAuthority ${a.nickname} orport=${OR_PORT} v3ident=${a.identity} ${a.address}:${DIR_PORT} ${a.fingerprint}`,
    ),
    // Circuits may be built as soon as a quarter of all paths is known: there are few relays.
    "PathsNeededToBuildCircuits 0.25",
    // On loopback tor would learn a timeout that fails every fifth circuit.
    "LearnCircuitBuildTimeout 0",
  ];
}

/**
 * Lines of a relay; without `Address` tor finds no address of its own on loopback and refuses. A relay
 * that is `behind` a forwarder announces the forwarder's port and listens at another.
 */
export function relayLines(nickname: string, address: string, behind: boolean): string[] {
  return [
    `Nickname ${nickname}`,
    `Address ${address}`,
    ...(behind
      ? [`ORPort ${address}:${OR_PORT} NoListen`, `ORPort ${address}:${HIDDEN_OR_PORT} NoAdvertise`]
      : [`ORPort ${address}:${OR_PORT}`]),
    "SocksPort 0",
    "ExitRelay 0",
    "AssumeReachable 1",
    "ShutdownWaitLength 0",
  ];
}

/** When the first vote opens (Unix seconds), and after how many seconds the next one if that one fails. */
export interface FirstVote {
  readonly at: number;
  /** 5 at least; must divide half an hour. */
  readonly interval: number;
}

/**
 * Lines of an authority. Votes end at multiples of the interval plus an offset, which sets the time of the
 * first one. After the first consensus they vote every five minutes: an idle network should cost
 * nothing, and the interval sets the onion time period (two hours then), which a short one would change
 * in the middle of a job.
 */
export function authorityLines(authority: Authority, first: FirstVote, behind: boolean): string[] {
  return [
    ...relayLines(authority.nickname, authority.address, behind),
    `DirPort ${authority.address}:${DIR_PORT}`,
    "AuthoritativeDirectory 1",
    "V3AuthoritativeDirectory 1",
    "ContactInfo nobody@localhost",
    `TestingV3AuthInitialVotingInterval ${first.interval}`,
    `TestingV3AuthInitialVoteDelay ${FIRST_DELAY_S}`,
    `TestingV3AuthInitialDistDelay ${FIRST_DELAY_S}`,
    `TestingV3AuthVotingStartOffset ${(first.at + 2 * FIRST_DELAY_S) % first.interval}`,
    "V3AuthVotingInterval 300",
    "V3AuthVoteDelay 20",
    "V3AuthDistDelay 20",
    "AuthDirMaxServersPerAddr 0",
    "TestingDirAuthVoteGuard *",
    "TestingDirAuthVoteHSDir *",
    "TestingDirAuthVoteExit *",
    "TestingMinExitFlagThreshold 0",
  ];
}
