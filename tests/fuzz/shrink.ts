// Less of what was found: shorter inputs that still fail, fewer inputs that
// still run the same code.
import type { Coverage } from "./coverage.ts";
import type { Target } from "./target.ts";

/** Leaves out pieces, large ones first, for as long as the target fails. */
export async function shrunk(
  target: Target,
  input: Uint8Array,
  starting: (input: Uint8Array) => void,
): Promise<Uint8Array> {
  let shortest = input;
  for (let size = input.length >>> 1; size > 0; size >>>= 1) {
    for (let at = 0; at + size <= shortest.length;) {
      const without = Uint8Array.of(
        ...shortest.subarray(0, at),
        ...shortest.subarray(at + size),
      );
      starting(without);
      if (await failureOf(target, without) !== undefined) shortest = without;
      else at += size;
    }
  }
  return shortest;
}

/** What the target throws at an input; undefined if it throws nothing. */
export async function failureOf(
  target: Target,
  input: Uint8Array,
): Promise<unknown> {
  try {
    await target.run(input);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Of new inputs those, short ones first, that run what the known ones do not. */
export async function distilled(
  target: Target,
  coverage: Coverage,
  known: readonly Uint8Array[],
  found: readonly Uint8Array[],
): Promise<Uint8Array[]> {
  await coverage.forget();
  for (const input of [...target.seeds, ...known]) await target.run(input);
  await coverage.hasGrown(true);
  const kept: Uint8Array[] = [];
  for (const input of found.toSorted((a, b) => a.length - b.length)) {
    await target.run(input);
    if (await coverage.hasGrown(true)) kept.push(input);
  }
  return kept;
}
