// Times and their distribution.

/** ms since 1970, with parts: comparable among processes of one host. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

/** @returns NaN of nothing */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[
    Math.min(sorted.length - 1, Math.floor(part * sorted.length))
  ] ??
    NaN;
}

/** Of `/proc/PID/status`, in bytes. */
export function residentBytes(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
}
