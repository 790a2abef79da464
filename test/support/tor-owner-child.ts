// A process that owns a tor, to be killed by a test.
import { startTorProcess } from "../../src/transfer/onion/process.ts";

const [dir] = process.argv.slice(2);
const torrc = ["DisableNetwork 1", "SocksPort 0"];
const tor = await startTorProcess({ binary: "tor", dir: dir!, torrc });
process.send?.(tor.pid);
