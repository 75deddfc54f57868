// Packets for a device that the kernel has dropped: its queue was full, since
// nobody read them in time (tun_net_xmit() in drivers/net/tun.c).

import type { Libc } from "../libc.ts";
import { ProcFile } from "../proc_file.ts";

/**
 * Of the network namespace that this thread is in. A file, which is good for
 * nothing else: a netlink socket that was opened with privileges would let
 * whoever takes over the process change routes.
 */
const PATH = "/proc/thread-self/net/dev";

/**
 * Behind the name, as of the heads of the columns: eight of what has come from the
 * device, then bytes, packets, errs and drop of what went there.
 */
const DROPPED_COLUMN = 8 + 3;

/** To be opened in the namespace of the device, and ahead of a sandbox. */
export class DeviceDrops implements Disposable {
  readonly #name: string;
  readonly #file: ProcFile;
  readonly #before: number;
  #last: number;

  /** @throws {SystemError} Where there is no such file. */
  constructor(libc: Libc, name: string) {
    this.#name = name;
    this.#file = new ProcFile(libc, PATH);
    this.#last = this.#before = droppedIn(this.#file.text(), name) ?? 0;
  }

  /** Since it was opened; of a device that is gone, what was known last. */
  get count(): number {
    this.#last = droppedIn(this.#file.text(), this.#name) ?? this.#last;
    return this.#last - this.#before;
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
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
