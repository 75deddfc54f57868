// Key chains as text: new ones, and those that forget what is past.
import { hkdf } from "../crypto/hkdf.ts";
import { CHAIN_KEY_BYTES, epochAt, KeyChain } from "../satp/key_chain.ts";
import { formatChainFile, parseChainFile } from "../satp/key_chain_file.ts";

/** It begins with the present epoch: nothing older is ever needed. */
export function newChain(interval: number, now: number): string {
  const key = crypto.getRandomValues(new Uint8Array(CHAIN_KEY_BYTES));
  const epoch = epochAt(now, interval);
  return textOf({ interval, epoch, key });
}

/**
 * The same chain from the epoch before the present one on: clocks of others may
 * be behind, and must find their epoch in it.
 * @param now Seconds since 1970
 * @returns undefined where it has forgotten all that is older
 * @throws if it is of no use
 */
export function forwardChain(text: string, now: number): string | undefined {
  const bytes = new TextEncoder().encode(text);
  const link = parseChainFile(bytes);
  bytes.fill(0);
  const epoch = epochAt(now, link.interval) - 1;
  if (epoch <= link.epoch) return undefined;
  const chain = new KeyChain(link, hkdf);
  try {
    return textOf(chain.link(epoch));
  } finally {
    chain.erase();
    link.key.fill(0);
  }
}

/** Seconds that each of its keys is used. @throws if it is of no use */
export function intervalOf(text: string): number {
  const link = parseChainFile(new TextEncoder().encode(text));
  link.key.fill(0);
  return link.interval;
}

function textOf(link: Parameters<typeof formatChainFile>[0]): string {
  const bytes = formatChainFile(link);
  const text = new TextDecoder().decode(bytes);
  bytes.fill(0);
  link.key.fill(0);
  return text;
}
