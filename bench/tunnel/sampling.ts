/**
 * What a process has used so far, from /proc (proc(5)).
 *
 * @module
 */

/** Ticks per second of the times in /proc/pid/stat (USER_HZ of Linux). */
const TICKS_PER_SECOND = 100;

/**
 * User and system seconds in the text of /proc/pid/stat, of all threads.
 *
 * The name in field 2 may hold blanks and brackets, so that fields count from
 * the last closing bracket; utime is field 14 and stime field 15.
 *
 * @throws {Error} if the text is something else
 */
export function parseCpuSeconds(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  if (Number.isNaN(ticks)) {
    throw new Error(`Cannot read the CPU time: current value is ${stat}`);
  }
  return ticks / TICKS_PER_SECOND;
}

/**
 * Bytes of VmRSS in the text of /proc/pid/status.
 *
 * @throws {Error} if there is no such line
 */
export function parseResidentBytes(status: string): number {
  const kibibytes = /^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1];
  if (kibibytes === undefined) {
    throw new Error(`Cannot read VmRSS: current value is ${status}`);
  }
  return Number(kibibytes) * 1024;
}

/** CPU seconds, user and system, that a process has used. */
export async function cpuSeconds(pid: number): Promise<number> {
  return parseCpuSeconds(await Deno.readTextFile(`/proc/${pid}/stat`));
}

/** Bytes of memory that a process has resident. */
export async function residentBytes(pid: number): Promise<number> {
  return parseResidentBytes(await Deno.readTextFile(`/proc/${pid}/status`));
}
