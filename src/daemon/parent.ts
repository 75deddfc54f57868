// The process that has started a daemon, and waits until it is ready.
import { type ByteStream, LineStream } from "../log/line_stream.ts";
import type { StreamName } from "../log/target.ts";
import type { LifecycleListener } from "./lifecycle.ts";

/** Texts are for people, without a line end. */
export interface Parent extends LifecycleListener {
  /** Of the daemon: what they show is seen where `failed` writes. */
  readonly sharedStreams: readonly StreamName[];
  /** Whether it has confined the daemon's files, in all threads. */
  readonly hasConfinedFiles: boolean;
  say(text: string): void;
  /**
   * Says why the daemon cannot go on.
   * @throws if there is nobody who takes it
   */
  failed(text: string): void;
}

/** In the foreground the log tells the rest. */
export function foregroundParent(
  stderr: ByteStream,
  sharedStreams: readonly StreamName[],
): Parent {
  return {
    sharedStreams,
    hasConfinedFiles: false,
    changed() {},
    say() {},
    failed(text) {
      new LineStream(stderr).write(new TextEncoder().encode(`${text}\n`));
    },
  };
}
