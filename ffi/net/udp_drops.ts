// Datagrams that the kernel has dropped because the buffer of a UDP socket was
// full, for sockets that are not ours to ask (SO_MEMINFO), as those of the runtime.

import type { Libc } from "../libc.ts";
import { ProcFile } from "../proc_file.ts";
import type { SocketAddress } from "./sockaddr.ts";

/** Of the network namespace that this thread is in. */
const IPV4_PATH = "/proc/thread-self/net/udp";
const IPV6_PATH = "/proc/thread-self/net/udp6";

/** As of the heads of the columns: local_address, and drops at the end. */
const LOCAL_COLUMN = 1;
const DROPS_COLUMN = 12;

/** To be opened when the socket is bound, and ahead of a sandbox. */
export class UdpDrops implements Disposable {
  readonly #file: ProcFile;
  readonly #local: string;
  #last = 0;

  /**
   * @param local What the socket is bound to, of its own family.
   * @throws {SystemError} Where there is no such file.
   */
  constructor(libc: Libc, local: Omit<SocketAddress, "scope">) {
    const isIpv4 = local.address.length === 4;
    this.#file = new ProcFile(libc, isIpv4 ? IPV4_PATH : IPV6_PATH);
    this.#local = nameOf(local);
  }

  /** Modulo 2^32; of a socket that is gone, what was known last. */
  get dropped(): number {
    this.#last = udpDropsIn(this.#file.text(), this.#local) ?? this.#last;
    return this.#last;
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

/**
 * @param text Lines such as
 * ` 7: 0100007F:115C 00000000:0000 07 0:0 00:0 0 0 0 4711 2 0000000000000000 3`
 * @param local Such as `0100007F:115C`
 * @returns undefined where there is no such socket
 */
export function udpDropsIn(text: string, local: string): number | undefined {
  for (const line of text.split("\n")) {
    const columns = line.trim().split(/\s+/);
    if (columns[LOCAL_COLUMN] !== local) continue;
    const dropped = Number(columns[DROPS_COLUMN]);
    return Number.isSafeInteger(dropped) ? dropped : undefined;
  }
  return undefined;
}

// The kernel writes the words of an address as numbers of this host.
function nameOf({ address, port }: Omit<SocketAddress, "scope">): string {
  const words = new Uint32Array(Uint8Array.from(address).buffer);
  const hex = (word: number, digits: number) =>
    word.toString(16).toUpperCase().padStart(digits, "0");
  return `${Array.from(words, (word) => hex(word, 8)).join("")}:${
    hex(port, 4)
  }`;
}
