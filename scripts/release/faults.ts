/** What a checkout says of itself; undefined where git does not answer. */
export interface Checkout {
  readonly version: string;
  readonly changelog: string;
  /** As `git status --porcelain` lists it; empty for a clean checkout. */
  readonly changed: string | undefined;
  /** Commits. */
  readonly head: string | undefined;
  readonly tagged: string | undefined;
  /** The tag has a good signature. */
  readonly signed: boolean;
}

/** Why this is no release, a sentence each; empty where it may be published. */
export function releaseFaults({ version, changelog, changed, head, tagged, signed }: Checkout): string[] {
  const tag = `v${version}`;
  const parts = changelog.split(/^## /m);
  const isDated = parts.some((part) => /^\[(.*)\] - \d{4}-\d{2}-\d{2}$/m.exec(part)?.[1] === version);
  const unreleased = parts
    .find((part) => part.startsWith("[Unreleased]"))
    ?.split("\n")
    .slice(1)
    .join("");
  return [
    ...(isDated ? [] : [`CHANGELOG.md has no part "## [${version}] - YYYY-MM-DD".`]),
    ...(unreleased ? [`CHANGELOG.md has changes that are not in ${version}.`] : []),
    ...(changed === "" ? [] : ["Files are changed, or not committed."]),
    ...(tagged === undefined ? [`There is no tag ${tag}.`] : []),
    ...(tagged !== undefined && tagged !== head ? [`${tag} is another commit than this one.`] : []),
    ...(tagged !== undefined && !signed ? [`${tag} is not signed, or by a key that git does not know.`] : []),
  ];
}
