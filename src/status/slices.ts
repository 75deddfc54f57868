// Long texts in slices: between two of them others have the thread, such as the
// beat that says that this daemon is well.

/** Lets others have the thread. */
export type Pause = () => Promise<unknown>;

/** A millisecond's work or two. */
const SLICE_BYTES = 1 << 18;

/**
 * @param texts Whole characters each
 * @returns The bytes of all, in pieces, each of which is made when it is taken
 */
export async function* bytesInSlices(
  texts: Iterable<string>,
  pause: Pause,
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  let piece = "";
  for (const text of texts) {
    if (piece.length >= SLICE_BYTES) {
      yield encoder.encode(piece);
      piece = "";
      await pause();
    }
    piece += text;
  }
  yield encoder.encode(piece);
}

/** Does it for each, and pauses between so many of them. */
export async function doInSlices<T>(
  all: Iterable<T>,
  count: number,
  pause: Pause,
  work: (one: T) => void,
): Promise<void> {
  let left = count;
  for (const one of all) {
    if (left === 0) {
      await pause();
      left = count;
    }
    left--;
    work(one);
  }
}
