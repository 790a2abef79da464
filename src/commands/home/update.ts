import { npmEnvironment } from "../../config.ts";
import { compareVersions, outputOf } from "../../doctor/program.ts";
import { IchainError } from "../../errors/error.ts";
import { programPackage } from "../../version.ts";
import type { CommandContext } from "../framework/declaration.ts";

/** Says whether the package registry that this user's npm asks has a newer version than this one. */
export async function run({ ui, signal }: CommandContext): Promise<void> {
  const { name, version: installed } = programPackage();
  const answer = await outputOf("npm", ["view", `${name}@latest`, "version"], {
    signal,
    env: npmEnvironment(),
    timeoutMs: 60_000,
  });
  const newest = answer?.trim();
  if (newest === undefined || !/^\d{1,9}(?:\.\d{1,9}){2}(?:-[0-9A-Za-z.-]{1,64})?$/.test(newest))
    throw new IchainError("UPDATE_UNKNOWN", `npm does not say which version of ${name} is the newest.`);
  const newer = isNewer(newest, installed);
  ui.print({ installed, newest, newer }, () =>
    newer
      ? [
          `${newest} is newer than this ichain, ${installed}.`,
          'Next: "ichain drain --wait" and "ichain backup ichain-before.backup"; then',
          `      "npm install -g ${name}@${newest}", or in a checkout "git fetch --tags && git checkout v${newest} && scripts/install.sh";`,
          "      CHANGELOG.md there says what changed, and docs/upgrading.md what is brought up to date by itself.",
        ].join("\n")
      : `This is the newest: ${installed}${newest === installed ? "" : ` (npm has ${newest})`}.`,
  );
}

/** A version with a suffix (`1.0.0-rc.1`) comes before the one without. */
function isNewer(newest: string, installed: string): boolean {
  const [[a = "", before], [b = "", pending]] = [newest, installed].map((one) => one.split(/-(.*)/s)) as [
    string[],
    string[],
  ];
  const difference = compareVersions(a, b);
  return difference > 0 || (difference === 0 && before === undefined && pending !== undefined);
}
