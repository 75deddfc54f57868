/**
 * The stream of a server that is asked for its tables once. Nothing in it says
 * that this was all, and a server that knows nothing says nothing.
 *
 * @module
 */
import type { Delay } from "../net/delay.ts";
import type { SyncStream } from "./streams.ts";

const READ_BYTES = 1 << 16;
/** After this silence, in ms, a server has said what it knows. */
const SILENCE_MS = 1000;
/** How long a server may take to refuse what is no TLS, in ms. */
const REFUSAL_MS = 3000;

/**
 * A fatal alert, `handshake_failure` (RFC 8446 section 6). A server without TLS
 * ignores what clients say (sync section 1), one with TLS closes.
 */
const ALERT = Uint8Array.of(21, 3, 3, 0, 2, 2, 40);

/** What there is to read, and for how long. */
interface TableStreamOptions {
  readonly stream: Pick<SyncStream, "read" | "write">;
  /** Whether the server might expect TLS, which it is not given. */
  readonly mayBeTls: boolean;
  /** Whether to stay for what changes. */
  readonly watch: boolean;
  readonly delay: Delay;
}

/** Reads some bytes; null at the end. */
type Read = (into: Uint8Array) => Promise<number | null>;

/**
 * The bytes of a server until it has said what it knows, or closes.
 *
 * @returns Pieces, each to be used before the next is asked for
 * @throws if the connection breaks, or is closed before there was a byte
 */
export async function* tableStream(
  { stream, mayBeTls, watch, delay }: TableStreamOptions,
): AsyncGenerator<Uint8Array> {
  const chunk = new Uint8Array(READ_BYTES);
  const first = firstRead(stream, chunk, mayBeTls);
  // Nobody may be waiting any more when it fails.
  first.catch(() => {});
  let word = await unlessSilent(first, SILENCE_MS, delay);
  if (word === "silent" && mayBeTls) {
    await stream.write(ALERT).catch(() => {});
    word = await unlessSilent(first, REFUSAL_MS, delay);
  }
  if (word === "silent" && !watch) return;
  yield chunk.subarray(0, await first);
  const read: Read = (into) => stream.read(into);
  yield* restOf(read, chunk, watch ? undefined : delay);
}

/**
 * The bytes of whatever input there is.
 *
 * @param delay Where silence after the first of them is the end as well
 */
export async function* inputStream(
  read: Read,
  delay: Delay | undefined,
): AsyncGenerator<Uint8Array> {
  const chunk = new Uint8Array(READ_BYTES);
  const size = await read(chunk);
  if (size === null) return;
  yield chunk.subarray(0, size);
  yield* restOf(read, chunk, delay);
}

async function* restOf(
  read: Read,
  chunk: Uint8Array,
  delay: Delay | undefined,
): AsyncGenerator<Uint8Array> {
  for (;;) {
    const reading = read(chunk);
    const size = delay === undefined
      ? await reading
      : await unlessSilent(reading, SILENCE_MS, delay);
    if (size === null || size === "silent") return;
    yield chunk.subarray(0, size);
  }
}

async function firstRead(
  stream: Pick<SyncStream, "read">,
  into: Uint8Array,
  mayBeTls: boolean,
): Promise<number> {
  const size = await stream.read(into).catch((cause) => {
    if (!mayBeTls) throw cause;
    return null;
  });
  if (size !== null) return size;
  throw new Error(
    mayBeTls
      ? "it speaks TLS, or refuses this client; for TLS add --sync-tls-cert " +
        "and --sync-tls-key"
      : "it closes the connection without a word",
  );
}

async function unlessSilent<T>(
  work: Promise<T>,
  ms: number,
  delay: Delay,
): Promise<T | "silent"> {
  const done = new AbortController();
  const silence = delay(ms, done.signal).then(() => "silent" as const);
  silence.catch(() => {});
  try {
    return await Promise.race([work, silence]);
  } finally {
    done.abort();
  }
}
