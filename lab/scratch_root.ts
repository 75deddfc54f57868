import { ENVIRONMENT, LAY_OVER, shell } from "./laid_over.ts";
import { missingCommand, whyNoPrograms } from "./missing.ts";
import {
  firstLine,
  type Outcome,
  outcomeOf,
  type RunOptions,
} from "./process.ts";

/** Says why there can be no scratch root here, or null if there can. */
export async function whyNoScratchRoot(root = "/"): Promise<string | null> {
  const withoutPrograms = whyNoPrograms();
  if (withoutPrograms !== null) return withoutPrograms;
  if (Deno.uid() !== 0) return "a file system of its own needs root";
  const missing = missingCommand("unshare") ?? missingCommand("nsenter");
  if (missing !== null) return missing;
  try {
    await using _ = await ScratchRoot.open(root);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * With mounts and a network of its own, which end with its holder. What is
 * written is in memory, and gone with it.
 */
const SCRIPT = `
set -e
lower=$1 scratch=$2
${LAY_OVER}
mount -t proc proc "$scratch/tree/proc"
mount --bind /dev "$scratch/tree/dev"
for folder in run tmp; do
  mount -t tmpfs -o mode=1777 scratch "$scratch/tree/$folder"
done
ip link set lo up
echo ready
read -r _
`;

/** A system to install packages in: one that is there, and stays as it is. */
export class ScratchRoot implements AsyncDisposable {
  /** As it is seen in the namespace. */
  readonly #path: string;
  readonly #work: string;
  readonly #child: Deno.ChildProcess;

  private constructor(work: string, child: Deno.ChildProcess) {
    this.#work = work;
    this.#path = `${work}/tree`;
    this.#child = child;
  }

  /**
   * @param lower The system that is there
   * @throws {Error} It cannot be laid over
   */
  static async open(lower = "/"): Promise<ScratchRoot> {
    const work = await Deno.makeTempDir();
    const child = new Deno.Command("unshare", {
      args: [
        ...["--mount", "--propagation", "private", "--net", "--"],
        ...["sh", "-c", SCRIPT, "scratch-root", lower, work],
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const root = new ScratchRoot(work, child);
    if (await firstLine(child.stdout) === "ready") return root;
    const said = await new Response(child.stderr).text();
    await child.status;
    await Deno.remove(work);
    throw new Error(`Cannot lay a file system over ${lower}: ${said.trim()}`);
  }

  /** Runs a program in it, to its end. */
  outcomeOf(
    argv: readonly string[],
    options: RunOptions = {},
  ): Promise<Outcome> {
    const enter = ["nsenter", "-t", String(this.#child.pid), "-m", "-n"];
    const inside = ["chroot", this.#path, "env", "-i", ...ENVIRONMENT];
    return outcomeOf([...enter, ...inside, ...argv], options);
  }

  /** As {@link outcomeOf}, by the shell; it must succeed. */
  async sh(script: string, options: RunOptions = {}): Promise<string> {
    return await shell((argv) => this.outcomeOf(argv, options), script);
  }

  /** Puts a file of this host into it. */
  async put(from: string, to: string): Promise<void> {
    const enter = ["nsenter", "-t", String(this.#child.pid), "-m", "-n"];
    const { code, stderr } = await outcomeOf(
      [...enter, "cp", from, `${this.#path}${to}`],
      {},
    );
    if (code !== 0) throw new Error(stderr);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stdin.close();
    await this.#child.stderr.cancel();
    await this.#child.status;
    await Deno.remove(this.#work);
  }
}
