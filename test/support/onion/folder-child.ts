// A process that claims a tor's data folder for each message and keeps it until it is killed.
import { claimTorFolder } from "../../../src/transfer/onion/tor/folder.ts";

const [base] = process.argv.slice(2);
const folders: unknown[] = [];
process.on("message", async () => {
  const folder = await claimTorFolder(base!, "host");
  folders.push(folder);
  process.send?.(folder.dir);
});
process.send?.("ready");
