// Plain JavaScript, loaded before anything else: where this user's compiled code may be kept between runs.
import { lstatSync, mkdirSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

/**
 * A folder for V8's compiled code that nobody else can have put anything into, or undefined. Node believes
 * what it finds there: its own default, below the folder for temporary files, belongs to whoever comes first.
 */
export function compileCacheFolder() {
  const uid = process.geteuid?.();
  if (uid === undefined) return undefined;
  try {
    let folder = realpathSync(homedir());
    // Step by step: a home folder that does not exist is not for us to make.
    for (const name of [".cache", "ichain", "compiled"]) {
      folder = join(folder, name);
      makeFolder(folder);
    }
    // A link on the way is followed once, here: what is looked at and used has none.
    folder = realpathSync(folder);
    const { mode } = lstatSync(folder);
    return (mode & OTHERS) === 0 && isOurs(folder, uid) ? folder : undefined;
  } catch {
    return undefined;
  }
}

function makeFolder(path) {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
}

/** Whether all of the way down to `folder` is in our hands: whoever may rename a part of it may replace it. */
function isOurs(folder, uid) {
  if (lstatSync(folder).uid !== uid) return false;
  for (let path = folder; ; path = dirname(path)) {
    const info = lstatSync(path);
    if (!info.isDirectory() || (info.uid !== uid && info.uid !== 0)) return false;
    if ((info.mode & OTHERS_WRITE) !== 0 && (info.mode & STICKY) === 0) return false;
    if (path === dirname(path)) return true;
  }
}
