/**
 * The machine that the figures come from.
 *
 * @module
 */

/** What has a say in the figures. */
export interface Environment {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  /** Bytes of memory. */
  readonly memory: number;
  readonly kernel: string;
  /** TCP congestion control, the system's default. */
  readonly congestionControl: string;
  readonly deno: string;
  /** Of the last minute, before the run; much above 0 spoils the figures. */
  readonly loadAverage: number;
}

/** Reads the environment. */
export async function readEnvironment(): Promise<Environment> {
  const cpuinfo = await Deno.readTextFile("/proc/cpuinfo");
  const congestion = "/proc/sys/net/ipv4/tcp_congestion_control";
  return {
    date: new Date().toISOString(),
    cpu: /^model name\s*: (.*)$/m.exec(cpuinfo)?.[1] ?? Deno.build.arch,
    cores: navigator.hardwareConcurrency,
    memory: Deno.systemMemoryInfo().total,
    kernel: Deno.osRelease(),
    congestionControl: (await Deno.readTextFile(congestion)).trim(),
    deno: Deno.version.deno,
    loadAverage: Deno.loadavg()[0] ?? 0,
  };
}
