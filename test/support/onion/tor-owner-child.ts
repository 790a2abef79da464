// A process that owns a tor, to be killed by a test. It survives SIGINT and then reports whether its tor did too.
import { startTorProcess } from "../../../src/transfer/onion/tor/process.ts";

const [dir] = process.argv.slice(2);
const torrc = ["DisableNetwork 1", "SocksPort 0"];
const tor = await startTorProcess({ binary: "tor", dir: dir!, torrc });
process.on("SIGINT", async () => {
  process.send?.(await tor.control.info("version").catch((error: Error) => error.message));
});
process.send?.(tor.pid);
