/**
 * Our program with a clock that jumps at each SIGWINCH, by the next one of the
 * seconds that are its first argument.
 *
 * @module
 */
import { main } from "../../src/cli/main.ts";

const [jumps = "", ...rest] = Deno.args;
const left = jumps.split(",").map(Number);
const { now } = Date;
let ahead = 0;
Date.now = () => now() + ahead;
Deno.addSignalListener("SIGWINCH", () => {
  ahead += (left.shift() ?? 0) * 1000;
});

Deno.exit(await main("anytun", rest));
