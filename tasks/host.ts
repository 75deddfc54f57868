// Programs of the host that builds, and its idea of when.

/** @throws {Error} with what it said, if it fails */
export async function run(
  program: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    env,
  }).output();
  if (success) return new TextDecoder().decode(stdout).trim();
  throw new Error(`${program}: ${new TextDecoder().decode(stderr).trim()}`);
}

/**
 * SOURCE_DATE_EPOCH, else the time of the last commit, in seconds since 1970.
 * See https://reproducible-builds.org/specs/source-date-epoch/.
 */
export async function epochOfSource(): Promise<number> {
  const given = Deno.env.get("SOURCE_DATE_EPOCH") ?? await timeOfCommit();
  const epoch = Number(given);
  if (given === "" || !Number.isSafeInteger(epoch) || epoch < 0) {
    throw new Error(
      `SOURCE_DATE_EPOCH is seconds since 1970, current value is '${given}'`,
    );
  }
  return epoch;
}

/** Sources without a history are of a release, which has its date elsewhere. */
async function timeOfCommit(): Promise<string> {
  try {
    return await run("git", ["log", "-1", "--format=%ct"]);
  } catch (cause) {
    const text = "Cannot tell the time of the last commit: set " +
      "SOURCE_DATE_EPOCH to the seconds since 1970 of the source";
    throw new Error(text, { cause });
  }
}

/** The value of `--NAME VALUE` among the arguments. */
export function argument(name: string, otherwise: string): string {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? otherwise : Deno.args[at + 1] ?? otherwise;
}
