// A process that claims a tor's data folder each time it is asked to, and keeps it until it is killed.
import { claimTorFolder } from "../../../src/transfer/onion/tor/folder.ts";

const [base] = process.argv.slice(2);
const slots: unknown[] = [];
process.on("message", async () => {
  const slot = await claimTorFolder(base!, "host");
  slots.push(slot);
  process.send?.(slot.dir);
});
process.send?.("ready");
