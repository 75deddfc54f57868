// Packets for a device that the kernel has dropped: its queue was full, since
// nobody read them in time (tun_net_xmit() in drivers/net/tun.c).

import { O } from "../flags.ts";
import { cString, type Libc } from "../libc.ts";

/**
 * Of the network namespace that this thread is in. A file, which is good for
 * nothing else: a netlink socket that was opened with privileges would let
 * whoever takes over the process change routes.
 */
const PATH = "/proc/thread-self/net/dev";

/** The kernel gives a page at a time. */
const READ_SIZE = 65536;
const LIMIT = 1 << 20;

/**
 * Behind the name, as of the heads of the columns: eight of what has come from the
 * device, then bytes, packets, errs and drop of what went there.
 */
const DROPPED_COLUMN = 8 + 3;

/** To be opened in the namespace of the device, and ahead of a sandbox. */
export class DeviceDrops implements Disposable {
  readonly #libc: Libc;
  readonly #name: string;
  readonly #fd: number;
  readonly #before: number;
  #last: number;

  /** @throws {SystemError} Where there is no such file. */
  constructor(libc: Libc, name: string) {
    this.#libc = libc;
    this.#name = name;
    this.#fd = libc.symbols.open(cString(PATH), O.RDONLY | O.CLOEXEC, 0);
    if (this.#fd < 0) throw libc.error(`open '${PATH}'`, "open");
    this.#last = this.#before = droppedIn(this.#read(), name) ?? 0;
  }

  /** Since it was opened; of a device that is gone, what was known last. */
  get count(): number {
    this.#last = droppedIn(this.#read(), this.#name) ?? this.#last;
    return this.#last - this.#before;
  }

  #read(): string {
    const bytes = new Uint8Array(READ_SIZE);
    const decoder = new TextDecoder();
    let text = "";
    for (let at = 0; at < LIMIT;) {
      const { pread } = this.#libc.symbols;
      const count = pread(this.#fd, bytes, bytes.length, at);
      if (count <= 0) break;
      text += decoder.decode(bytes.subarray(0, count), { stream: true });
      at += count;
    }
    return text;
  }

  [Symbol.dispose](): void {
    this.#libc.symbols.close(this.#fd);
  }
}

/**
 * @param text Lines such as `  tun0: 84 1 0 0 0 0 0 0 168 2 0 0 0 0 0 0`
 * @returns undefined where there is no such device
 */
export function droppedIn(text: string, name: string): number | undefined {
  for (const line of text.split("\n")) {
    const end = line.lastIndexOf(":");
    if (end === -1 || line.slice(0, end).trim() !== name) continue;
    const columns = line.slice(end + 1).trim().split(/\s+/);
    const dropped = Number(columns[DROPPED_COLUMN]);
    return Number.isSafeInteger(dropped) ? dropped : undefined;
  }
  return undefined;
}
