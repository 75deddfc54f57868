/**
 * Systems laid over one that is there, which stays as it is: what is written is
 * in memory.
 */
import type { Outcome } from "./process.ts";

/** Shell: lays `$scratch/tree` over `$lower`, in a namespace of mounts. */
export const LAY_OVER = `
mount -t tmpfs -o mode=755 scratch "$scratch"
mkdir "$scratch/upper" "$scratch/spare" "$scratch/tree"
mount -t overlay -o "lowerdir=$lower,upperdir=$scratch/upper,workdir=$scratch/spare" \\
  overlay "$scratch/tree"
`;

/** All that programs in them know of. */
export const ENVIRONMENT = [
  "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
  "DEBIAN_FRONTEND=noninteractive",
  "LC_ALL=C.UTF-8",
] as const;

/**
 * Runs a script that must succeed.
 *
 * @param run Runs a program to its end, in the system that is meant
 * @returns What it wrote to standard output, without blanks at the ends
 * @throws {Error} It failed; the message holds what it said
 */
export async function shell(
  run: (argv: readonly string[]) => Promise<Outcome>,
  script: string,
): Promise<string> {
  const { code, stdout, stderr } = await run(["sh", "-euc", script]);
  if (code === 0) return stdout.trim();
  throw new Error(`${script}: status ${code}\n${stdout}${stderr}`);
}
