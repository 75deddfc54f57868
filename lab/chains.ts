/** Files of key chains, as `anytun genkey --chain` makes them. */
import { epochAt, MIN_INTERVAL } from "../src/satp/key_chain.ts";
import { formatChainFile, parseChainFile } from "../src/satp/key_chain_file.ts";

/**
 * Makes a chain of the shortest interval that begins now, and puts a copy of it
 * at each of these paths, in folders of their own.
 *
 * @param now In ms since 1970.
 */
export function placeChain(paths: readonly string[], now: number): void {
  const key = crypto.getRandomValues(new Uint8Array(32));
  const epoch = epochAt(now / 1000, MIN_INTERVAL);
  const bytes = formatChainFile({ interval: MIN_INTERVAL, epoch, key });
  for (const path of paths) {
    Deno.mkdirSync(path.replace(/\/[^/]*$/, ""), { recursive: true });
    Deno.writeFileSync(path, bytes, { mode: 0o600 });
  }
}

/** The epoch that a file has come to. */
export function epochIn(path: string): number {
  return parseChainFile(Deno.readFileSync(path)).epoch;
}
