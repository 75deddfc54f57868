// The main thread of a daemon, seen from outside.

import { delay } from "../../src/net/delay.ts";

const LOOK_MS = 100;
/** A daemon at rest has timers, too. */
const REST_SHARE = 0.1;
const RESTING_LOOKS = 5;
const ASK_MS = 50;

function question(path: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
  );
}

export class MainThread {
  readonly pid: number;

  constructor(pid: number) {
    this.pid = pid;
  }

  /** What it has worked so far. */
  cpuMs(): number {
    const path = `/proc/${this.pid}/task/${this.pid}/schedstat`;
    return Number(Deno.readTextFileSync(path).split(" ")[0]) / 1e6;
  }

  /** Of its process: clear_refs in proc_pid_clear_refs(5). */
  forgetPeak(): void {
    Deno.writeTextFileSync(`/proc/${this.pid}/clear_refs`, "5");
  }

  /** The most memory that was resident since. */
  peakMib(): number {
    const status = Deno.readTextFileSync(`/proc/${this.pid}/status`);
    return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1]) / 1024;
  }

  /** Once it has been at rest for half a second. */
  async settled(): Promise<void> {
    for (let looks = 0; looks < RESTING_LOOKS;) {
      const before = this.cpuMs();
      await delay(LOOK_MS);
      const share = (this.cpuMs() - before) / LOOK_MS;
      looks = share < REST_SHARE ? looks + 1 : 0;
    }
  }

  /**
   * Asks for its health all the time.
   *
   * @param socket Its status socket
   * @param stop Ends it before
   * @returns How long it has taken for an answer, at most, in ms
   */
  async answers(
    socket: string,
    ms: number,
    stop?: AbortSignal,
  ): Promise<number> {
    const end = performance.now() + ms;
    let longest = 0;
    while (performance.now() < end && !stop?.aborted) {
      const began = performance.now();
      const asked = await ask(socket);
      if (asked) longest = Math.max(longest, performance.now() - began);
      await delay(ASK_MS);
    }
    return longest;
  }
}

async function ask(path: string): Promise<boolean> {
  try {
    using connection = await Deno.connect({ transport: "unix", path });
    await connection.write(question("/healthz"));
    return await connection.read(new Uint8Array(512)) !== null;
  } catch {
    return false;
  }
}

/**
 * Asks for a page.
 *
 * @param socket Of the daemon
 * @param pauseMs After the first bytes of the answer
 * @returns How many bytes there were
 */
export async function readOnce(
  socket: string,
  path: string,
  pauseMs: number,
): Promise<number> {
  using connection = await Deno.connect({ transport: "unix", path: socket });
  await connection.write(question(path));
  const chunk = new Uint8Array(1 << 16);
  let bytes = await connection.read(chunk) ?? 0;
  await delay(pauseMs);
  for (;;) {
    const count = await connection.read(chunk).catch(() => null);
    if (count === null) return bytes;
    bytes += count;
  }
}
