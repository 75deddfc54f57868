// Files of /proc that are read again and again, also by a daemon that may open
// none any more.

import { O } from "./flags.ts";
import { cString, type Libc } from "./libc.ts";

/** The kernel gives a page at a time. */
const READ_SIZE = 65536;
const LIMIT = 1 << 20;

/** To be opened ahead of a sandbox. */
export class ProcFile implements Disposable {
  readonly #libc: Libc;
  readonly #fd: number;

  /** @throws {SystemError} Where there is no such file. */
  constructor(libc: Libc, path: string) {
    this.#libc = libc;
    this.#fd = libc.symbols.open(cString(path), O.RDONLY | O.CLOEXEC, 0);
    if (this.#fd < 0) throw libc.error(`open '${path}'`, "open");
  }

  /** What it says now, up to 1 MiB of it. */
  text(): string {
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
