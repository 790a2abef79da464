// Makes an output disk in the folder named on its command line, until it is killed.
import { outputDisk } from "../../../src/sandbox/outputs/disk.ts";

const [home = "", capBytes = ""] = process.argv.slice(2);
const disk = outputDisk(home);
await disk.clear();
await disk.create(Number(capBytes));
