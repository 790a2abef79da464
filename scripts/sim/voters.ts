import type { Voter } from "./game.ts";

/** Measures, and stands down where it cannot. */
export const honest =
  (outage: number): Voter =>
  (truth, chance) => {
    if (truth === "none" || chance.flip(outage)) return { vote: "leave", measured: false };
    return { vote: truth === "agrees" ? "pass" : "fail", measured: true };
  };

/** The same, but in an appeal, where the provider must serve it, it votes against what it is not served. */
export const strict =
  (outage: number): Voter =>
  (truth, chance, round) =>
    truth === "none" && round === "appeal"
      ? { vote: "fail", measured: false }
      : honest(outage)(truth, chance, round);

/** Votes without a look. A vote to pass needs the provider's measurement: from a friend, or copied. */
export const always =
  (vote: "pass" | "fail" | "hide" | "leave"): Voter =>
  () => ({ vote, measured: false });

/** Commits to the outputs' digest, which it need not measure, and to a score that it guesses. */
export const guessing =
  (luck: number): Voter =>
  (truth, chance) => ({
    vote: truth === "agrees" && chance.flip(luck) ? "pass" : "fail",
    measured: false,
  });
