/** Where one authority of the private network answers. */
export interface Authority {
  readonly nickname: string;
  readonly address: string;
  /** 40 hex digits each: the v3 identity that signs the consensus, and the relay's own. */
  readonly identity: string;
  readonly fingerprint: string;
}

/** Each node has a loopback address of its own, so ports can be the same everywhere. */
export const OR_PORT = 9001;
const DIR_PORT = 9030;

/** Tor's own lower bounds for a first vote: it opens 4 s before a multiple of 5 s, plus an offset. */
const FIRST_INTERVAL_S = 5;
const FIRST_DELAY_S = 2;

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
  ];
}

/** Lines of a relay; without `Address` tor finds no address of its own on loopback and refuses. */
export function relayLines(nickname: string, address: string): string[] {
  return [
    `Nickname ${nickname}`,
    `Address ${address}`,
    `ORPort ${address}:${OR_PORT}`,
    "SocksPort 0",
    "ExitRelay 0",
    "AssumeReachable 1",
    "ShutdownWaitLength 0",
  ];
}

/**
 * Lines of an authority whose first vote opens at the second `firstVote` (Unix time). After the first
 * consensus they vote every five minutes: a network at rest should cost nothing, and the interval sets
 * the onion time period (two hours then), which a short one would change in the middle of a job.
 */
export function authorityLines(authority: Authority, firstVote: number): string[] {
  return [
    ...relayLines(authority.nickname, authority.address),
    `DirPort ${authority.address}:${DIR_PORT}`,
    "AuthoritativeDirectory 1",
    "V3AuthoritativeDirectory 1",
    "ContactInfo nobody@localhost",
    `TestingV3AuthInitialVotingInterval ${FIRST_INTERVAL_S}`,
    `TestingV3AuthInitialVoteDelay ${FIRST_DELAY_S}`,
    `TestingV3AuthInitialDistDelay ${FIRST_DELAY_S}`,
    `TestingV3AuthVotingStartOffset ${(firstVote + 2 * FIRST_DELAY_S) % FIRST_INTERVAL_S}`,
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
