import { ENVIRONMENT, LAY_OVER, shell } from "./laid_over.ts";
import {
  firstLine,
  type Outcome,
  outcomeOf,
  PATIENCE_SECONDS,
  type RunOptions,
} from "./process.ts";
import { until } from "./until.ts";

/**
 * Processes, network, cgroup and file system of its own; what is written is in
 * memory. All of it ends when its holder closes standard input, or dies.
 */
const OUTER = `
set -e
lower=$1 scratch=$2 boot=$3
${LAY_OVER}
mkdir "$scratch/groups"
mount -t cgroup2 cgroup2 "$scratch/groups"
group=$scratch/groups/at-systemd-$$
mkdir "$group"
sh -c '
  echo $$ >"$1/cgroup.procs"
  umount "\${1%/*}"
  exec unshare --mount --propagation private --net --uts --cgroup --pid \\
    --fork --kill-child sh -ec "$2" boot "$3"
' enter "$group" "$boot" "$scratch/tree" >&2 </dev/null &
child=$!
echo "ready $child"
read -r _ || true
kill -KILL "$child" || true
wait "$child" 2>/dev/null || true
for try in 1 2 3 4 5 6 7 8 9 10; do
  find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
  [ -e "$group" ] || break
  sleep 0.2
done
`;

/** Becomes the first process of the system. */
const BOOT = `
cd "$1"
mount -t tmpfs -o mode=755 run run
mount -t tmpfs -o mode=755,dev dev dev
mkdir dev/net dev/pts dev/shm
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/zero c 1 5
mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8
mknod -m 666 dev/urandom c 1 9
mknod -m 666 dev/tty c 5 0
mknod -m 666 dev/net/tun c 10 200
mount -t devpts -o newinstance,ptmxmode=666 pts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t sysfs sys sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t proc proc proc
hostname walk
mkdir -p oldroot
pivot_root . oldroot
umount -l /oldroot
mount --make-rshared /
exec env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin \\
  /sbin/init --show-status=0 </dev/null >/run/boot.log 2>&1
`;

const OWN_ENVIRONMENT = [...ENVIRONMENT, "SYSTEMD_PAGER=cat"];

/** A system that runs under systemd, on top of one that stays as it is. */
export class SystemdHost implements AsyncDisposable {
  readonly #work: string;
  readonly #child: Deno.ChildProcess;
  readonly #init: number;

  private constructor(work: string, child: Deno.ChildProcess, init: number) {
    this.#work = work;
    this.#child = child;
    this.#init = init;
  }

  /**
   * @param root A system with systemd, such as debootstrap(8) makes
   * @throws {Error} It does not come up
   */
  static async open(root: string): Promise<SystemdHost> {
    const work = await Deno.makeTempDir();
    const child = new Deno.Command("unshare", {
      args: [
        ...["--mount", "--propagation", "private"],
        ...["sh", "-c", OUTER, "systemd-host", root, work, BOOT],
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const [, parent] = /^ready (\d+)$/.exec(await firstLine(child.stdout)) ??
      [];
    if (parent === undefined) {
      throw new Error(`Cannot make a system of ${root}`);
    }
    const host = new SystemdHost(work, child, await firstChild(parent));
    await host.#untilRunning();
    return host;
  }

  outcomeOf(
    argv: readonly string[],
    options: RunOptions = {},
  ): Promise<Outcome> {
    const { seconds = PATIENCE_SECONDS } = options;
    const enter = ["nsenter", "--target", String(this.#init), "--all"];
    // What is killed from outside leaves its own children behind.
    const inside = ["timeout", "--kill-after=5", String(seconds)];
    return outcomeOf(
      [...enter, "env", "-i", ...OWN_ENVIRONMENT, ...inside, ...argv],
      { ...options, seconds: seconds + 10 },
    );
  }

  /** By the shell; it must succeed. */
  async sh(script: string, options: RunOptions = {}): Promise<string> {
    return await shell((argv) => this.outcomeOf(argv, options), script);
  }

  /** Puts a file of this host into it. */
  async put(from: string, to: string): Promise<void> {
    const path = `/proc/${this.#init}/root${to}`;
    await Deno.copyFile(from, path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stdin.close();
    await this.#child.status;
    await Deno.remove(this.#work);
  }

  async #untilRunning(): Promise<void> {
    await until("systemd comes up", 2 * PATIENCE_SECONDS, async () => {
      const argv = ["systemctl", "is-system-running"];
      const { stdout } = await this.outcomeOf(argv);
      return /^(running|degraded)$/m.test(stdout);
    });
  }
}

/** Its child that is the first process of a namespace. */
async function firstChild(parent: string): Promise<number> {
  const path = `/proc/${parent}/task/${parent}/children`;
  let first = 0;
  await until("a first process comes up", PATIENCE_SECONDS, async () => {
    for (const child of (await Deno.readTextFile(path)).trim().split(" ")) {
      if (child !== "" && await isFirst(child)) first = Number(child);
    }
    return first !== 0;
  });
  return first;
}

async function isFirst(pid: string): Promise<boolean> {
  try {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    return /^NSpid:\s+\d+\s+1$/m.test(status);
  } catch {
    return false; // It has ended.
  }
}
