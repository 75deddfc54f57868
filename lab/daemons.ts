/**
 * Daemons in the background, seen from outside: how they start, what /proc
 * says of them, how they end.
 */
import type { LabHost } from "./host.ts";
import { type LabProcess, PATIENCE_SECONDS } from "./process.ts";
import { fromSource, type OurProgram } from "./programs.ts";
import { until } from "./until.ts";

/** How a command ended. */
export interface CommandEnd {
  readonly code: number;
  /** What it wrote to either stream. */
  readonly text: string;
}

/** What the test wants around the daemon. */
export interface Surroundings {
  readonly program?: OurProgram;
  /** Variables of the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Takes the place of /etc/hosts. */
  readonly hosts?: string;
  /**
   * Where /dev/log leads to in a /dev of the daemon's own: a socket, or
   * nothing.
   */
  readonly syslog?: string;
}

/**
 * A /dev with nothing but what the daemon needs, and a /dev/log of the test's
 * choice. `ip netns exec` has given us mounts of our own.
 */
const OWN_DEV = `
dev=$(mktemp -d)
mount -t tmpfs -o mode=755 none "$dev"
cp -a /dev/null /dev/zero /dev/random /dev/urandom "$dev"
mkdir "$dev/net" && cp -a /dev/net/tun "$dev/net"
ln -s "$1" "$dev/log"
mount --bind "$dev" /dev
umount "$dev" && rmdir "$dev"
shift
exec "$@"
`;

/** What /proc counts times in, on every architecture (USER_HZ). */
const TICKS_PER_SECOND = 100;

const OWN_HOSTS = 'mount --bind "$1" /etc/hosts; shift; exec "$@"';

/** Starts our program on a host, in the foreground or not. */
export function startDaemon(
  host: LabHost,
  args: readonly string[],
  { program = fromSource, env = {}, hosts, syslog }: Surroundings = {},
): LabProcess {
  const variables = Object.entries(env).map(([name, value]) =>
    `${name}=${value}`
  );
  const [first = "", ...rest] = [
    ...(syslog === undefined ? [] : ["sh", "-c", OWN_DEV, "sh", syslog]),
    ...(hosts === undefined ? [] : ["sh", "-c", OWN_HOSTS, "sh", hosts]),
    ...(variables.length === 0 ? [] : ["env", ...variables]),
    ...program.command,
    ...args,
  ];
  return host.spawn(first, ...rest);
}

/** Runs our program on a host until it leaves the foreground. */
export async function runDaemon(
  host: LabHost,
  args: readonly string[],
  surroundings?: Surroundings,
): Promise<CommandEnd> {
  const process = startDaemon(host, args, surroundings);
  const { code } = await process.ended;
  return { code, text: process.lines.join("\n") };
}

/** A process as /proc shows it. */
export class ProcView {
  readonly pid: number;

  constructor(pid: number) {
    this.pid = pid;
  }

  /** The process that a pid file names. */
  static fromPidFile(path: string): ProcView {
    return new ProcView(Number(Deno.readTextFileSync(path)));
  }

  /** A file below /proc/<pid>, its zero bytes as blanks. */
  text(name: string): string {
    const text = Deno.readTextFileSync(`/proc/${this.pid}/${name}`);
    return text.replaceAll("\0", " ").trim();
  }

  /** The values of a line of /proc/<pid>/status, or of a thread's. */
  status(name: string, file = "status"): readonly string[] {
    const line = this.text(file).split("\n")
      .find((line) => line.startsWith(`${name}:`)) ?? "";
    return line.split(/\s+/).slice(1).filter((word) => word !== "");
  }

  /** Where a symbolic link below /proc/<pid> leads. */
  link(name: string): string {
    return Deno.readLinkSync(`/proc/${this.pid}/${name}`);
  }

  /** What is in a folder below /proc/<pid>. */
  names(folder: string): readonly string[] {
    const entries = Deno.readDirSync(`/proc/${this.pid}/${folder}`);
    return Array.from(entries, ({ name }) => name);
  }

  /**
   * The symbolic links in a folder below /proc/<pid>, and where they lead; those
   * that go meanwhile are left out.
   */
  links(folder: string): readonly (readonly [name: string, path: string])[] {
    return this.names(folder).flatMap((name) => {
      const path = unlessGone(() => this.link(`${folder}/${name}`));
      return path === undefined ? [] : [[name, path] as const];
    });
  }

  /** Seconds since the start of the process. */
  age(): number {
    // proc_pid_stat(5): field 22, behind a name that may hold anything.
    const stat = this.text("stat");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [uptime = ""] = Deno.readTextFileSync("/proc/uptime").split(" ");
    return Number(uptime) - Number(fields[22 - 3]) / TICKS_PER_SECOND;
  }

  /** Sends a signal. */
  kill(signal: Deno.Signal): void {
    Deno.kill(this.pid, signal);
  }

  /**
   * The first values of some lines of the status of each thread, with commas, by
   * the thread's id; one that ends meanwhile is left out.
   */
  threads(...names: readonly string[]): ReadonlyMap<string, string> {
    return new Map(
      this.names("task").flatMap((id) => {
        const file = `task/${id}/status`;
        const values = unlessGone(() =>
          names.map((name) => this.status(name, file)[0]).join()
        );
        return values === undefined ? [] : [[id, values] as const];
      }),
    );
  }

  /**
   * Waits until the process has ended with all of its threads, and has nothing
   * open any more; its parent may still not know.
   */
  async ended(seconds = PATIENCE_SECONDS): Promise<void> {
    await until(`process ${this.pid} ends`, seconds, () => {
      const states = unlessGone(() => this.threads("State"));
      // The first thread may be over while others hold what they share.
      return states === undefined ||
        [...states.values()].every((state) => state === "Z");
    });
  }
}

/** What is read below /proc; undefined if that has ended meanwhile. */
function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    // Between the end of a process and that of its entry.
    if (error instanceof Error && /os error 3/.test(error.message)) {
      return undefined;
    }
    throw error;
  }
}

/** The guard of a daemon, which is its child. */
export async function guardOf(daemon: number): Promise<ProcView> {
  let found: number[] = [];
  await until("there is a guard", PATIENCE_SECONDS, async () => {
    const { stdout } = await new Deno.Command("pgrep", {
      args: ["-P", String(daemon), "-x", "anytun-guard"],
    }).output();
    const text = new TextDecoder().decode(stdout).trim();
    found = text === "" ? [] : text.split("\n").map(Number);
    return found.length === 1;
  });
  return new ProcView(found[0] ?? 0);
}

/** The text of a file; none if it does not exist yet. */
function textOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** Waits for a line in a file, and for the file. */
export async function lineIn(
  path: string,
  pattern: RegExp,
  seconds = PATIENCE_SECONDS,
): Promise<string> {
  let found: string | undefined;
  await until(`${path} has ${pattern}`, seconds, () => {
    const lines = textOf(path).split("\n");
    found = lines.find((line) => pattern.test(line));
    return found !== undefined;
  });
  return found ?? "";
}

/** Whether there is anything of that name, such as a link to nothing. */
export function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** A folder for one test, removed with it. */
export class TestFolder implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "anytun-test-" });

  constructor() {
    // What has become another user may look for its files here.
    Deno.chmodSync(this.path, 0o755);
  }

  /** The path of a file in it. */
  file(name: string): string {
    return `${this.path}/${name}`;
  }

  /** Makes a program of a shell script. */
  script(name: string, text: string): string {
    const path = this.file(name);
    Deno.writeTextFileSync(path, `#!/bin/sh\n${text}\n`);
    Deno.chmodSync(path, 0o755);
    return path;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}
