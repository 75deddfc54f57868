/** ms since 1970, with parts: comparable among processes of one host. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
