import type { Vote, Voter } from "./game.ts";

/**
 * Measures, and stands down where it cannot. In a dispute the provider must serve it: it votes against what it is
 * not served.
 */
export const honest =
  (outage: number): Voter =>
  (truth, chance, round) => {
    if (truth === "none" && round !== "first") return { vote: "fail", measured: false };
    if (truth === "none" || chance.flip(outage)) return { vote: "leave", measured: false };
    return { vote: votes[truth], measured: true };
  };

const votes = { agrees: "pass", short: "unmet", differs: "fail", none: "fail" } as const;

/** Votes without a look. A vote to pass needs the provider's measurement: from a friend, or copied. */
export const always =
  (vote: Vote): Voter =>
  () => ({ vote, measured: false });

/** Commits to the outputs' digest, which it need not measure, and to a score that it guesses. */
export const guessing =
  (luck: number): Voter =>
  (truth, chance) => ({
    vote: truth === "agrees" && chance.flip(luck) ? "pass" : "fail",
    measured: false,
  });
