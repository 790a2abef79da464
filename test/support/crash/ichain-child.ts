/** The command line from its sources, whose lines the journal's steps are named after. */
import { main } from "../../../src/main.ts";

await main(process.argv.slice(2));
