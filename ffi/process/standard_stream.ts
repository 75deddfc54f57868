// Standard output and error whose reader may have stopped reading.

import type { Libc } from "../libc.ts";
import { Arena } from "../memory.ts";
import { POLLOUT, PollSet } from "../poll.ts";

const POLL_SET_SIZE = 64;

/**
 * A pipe that is ready takes so much without blocking (PIPE_BUF, pipe(7)). To
 * make it non-blocking instead would do so for all who share it.
 */
const PORTION = 4096;

interface Stream {
  writeSync(bytes: Uint8Array): number;
}

/**
 * A stream that blocks for a while at most. Once it has, it does so no more
 * until somebody reads.
 * @param patience Milliseconds
 */
export function patientStream(
  libc: Libc,
  fd: number,
  stream: Stream,
  patience: number,
): Stream {
  const poll = new PollSet(libc, new Arena(POLL_SET_SIZE), 1);
  poll.add(fd, POLLOUT);
  let isStuck = false;
  return {
    writeSync(bytes) {
      isStuck = poll.wait(isStuck ? 0 : patience) === 0;
      if (isStuck) {
        const name = fd === 1 ? "standard output" : "standard error";
        throw new Error(`Cannot write to the ${name}: nobody reads it`);
      }
      return stream.writeSync(bytes.subarray(0, PORTION));
    },
  };
}
