/**
 * What a misspelt word was meant to be.
 *
 * @module
 */

/**
 * The candidate with the fewest slips of the pen, if they are few for its
 * length: one in three characters.
 */
export function nearest(
  word: string,
  candidates: Iterable<string>,
): string | undefined {
  let best: string | undefined;
  let fewest = Infinity;
  for (const candidate of candidates) {
    const slips = editDistance(word, candidate);
    if (slips < fewest && slips * 3 <= candidate.length) {
      best = candidate;
      fewest = slips;
    }
  }
  return best;
}

/**
 * How many characters are missing, too many, wrong, or swapped with their
 * neighbour (optimal string alignment distance).
 */
function editDistance(a: string, b: string): number {
  let previous: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const [beforePrevious, above] = [previous, row];
    row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(Math.min(
        at(above, j) + 1,
        at(row, j - 1) + 1,
        at(above, j - 1) + same,
        swapped ? at(beforePrevious, j - 2) + 1 : Infinity,
      ));
    }
    previous = above;
  }
  return at(row, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
