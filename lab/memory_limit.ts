// Limit of memory for a program: a control group, of either version.
import { run } from "./process.ts";

interface Hierarchy {
  readonly type: "cgroup" | "cgroup2";
  readonly options: string;
  /** The file that holds the limit, in bytes. */
  readonly limit: string;
  /** The file that tells of processes killed for want of memory. */
  readonly events: string;
}

const V1: Hierarchy = {
  ...{ type: "cgroup", options: "memory" },
  ...{ limit: "memory.limit_in_bytes", events: "memory.oom_control" },
};

const V2: Hierarchy = {
  ...{ type: "cgroup2", options: "rw" },
  ...{ limit: "memory.max", events: "memory.events" },
};

function hierarchy(): Hierarchy {
  const groups = Deno.readTextFileSync("/proc/self/cgroup");
  return /^\d+:(?:.*,)?memory(?:,.*)?:/m.test(groups) ? V1 : V2;
}

/** `ip netns exec` hides what is mounted below /sys. */
const MOUNTED =
  'mount -t "$1" -o "$2" none "$0" && cd "$0" && umount -l "$0" && ';

const MAKE = 'mkdir "$3" && echo "$5" >"$3/$4"';

const JOIN = 'echo $$ >"$3/cgroup.procs" && cd / && shift 3 && exec "$@"';

export class MemoryLimit implements AsyncDisposable {
  /** A command that runs a program within the limit. */
  readonly through: readonly string[];
  readonly #arguments: readonly string[];
  readonly #hierarchy: Hierarchy;

  private constructor(place: readonly string[], hierarchy: Hierarchy) {
    this.#arguments = place;
    this.#hierarchy = hierarchy;
    this.through = MemoryLimit.#shell(MOUNTED + JOIN, place);
  }

  /** Why there can be none here, or null if there can: only trying tells. */
  static missing(): string | null {
    const { type, options, limit } = hierarchy();
    const name = `at-probe-${crypto.randomUUID()}`;
    const script = 'mkdir "$3" && test -e "$3/$4"; s=$?; rmdir "$3"; exit $s';
    const folder = Deno.makeTempDirSync();
    try {
      const place = [folder, type, options, name, limit];
      const [command = "", ...args] = MemoryLimit.#shell(
        MOUNTED + `{ ${script}; }`,
        place,
      );
      const { success } = new Deno.Command(command, { args }).outputSync();
      return success ? null : "no control group can limit memory";
    } finally {
      Deno.removeSync(folder);
    }
  }

  /**
   * @param name Of the control group
   * @param folder An empty one, to work in
   * @throws {Error} The kernel has no such limit for us
   */
  static async set(
    name: string,
    folder: string,
    bytes: number,
  ): Promise<MemoryLimit> {
    const found = hierarchy();
    const place = [folder, found.type, found.options, name];
    const make = MemoryLimit.#shell(MOUNTED + MAKE, place);
    await run([...make, found.limit, String(bytes)]);
    return new MemoryLimit(place, found);
  }

  /** Processes that the kernel has killed for want of memory. */
  async kills(): Promise<number> {
    const text = await this.#run(`cat "$3/${this.#hierarchy.events}"`);
    return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
  }

  /** When its programs have ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#run('rmdir "$3"');
  }

  #run(script: string): Promise<string> {
    return run(MemoryLimit.#shell(MOUNTED + script, this.#arguments));
  }

  static #shell(script: string, place: readonly string[]): string[] {
    const own = ["unshare", "--mount", "--propagation", "private"];
    return [...own, "sh", "-c", script, ...place];
  }
}
