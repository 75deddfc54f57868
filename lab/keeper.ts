import { firstLine } from "./process.ts";

/**
 * Makes the namespaces, says so, waits until its standard input closes - which
 * happens when the holder lets go and also when it dies, be it of SIGKILL - and
 * then removes them and ends what still runs in them.
 *
 * The name goes first, lest a program that is just being started slips in
 * after the search. The open file keeps the number of the namespace from being
 * given to another one meanwhile.
 */
const SCRIPT = `
made=
for namespace; do
  ip netns add "$namespace" && made="$made $namespace" || break
done
echo "made$made"
read -r _
for namespace in $made; do
  exec 9<"/run/netns/$namespace"
  number=$(stat -L -c %i "/run/netns/$namespace")
  ip netns delete "$namespace"
  for pid in $(
    ls -l /proc/[0-9]*/ns/net 2>/dev/null |
      sed -n "s|.*/proc/\\([0-9]*\\)/ns/net -> net:.$number.$|\\1|p"
  ); do
    kill -KILL "$pid" 2>/dev/null
  done
done
`;

/** Owns network namespaces and removes them, whatever befalls its maker. */
export class LabKeeper {
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
  }

  /**
   * Makes the namespaces.
   *
   * @throws {Error} One of them could not be made; none is left behind.
   */
  static async make(namespaces: readonly string[]): Promise<LabKeeper> {
    const child = new Deno.Command("sh", {
      args: ["-c", SCRIPT, "lab-keeper", ...namespaces],
      detached: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const keeper = new LabKeeper(child);
    const made = await firstLine(child.stdout);
    if (made === ["made", ...namespaces].join(" ")) return keeper;
    throw new Error(
      `Cannot make the network namespaces ${namespaces.join(", ")}: ` +
        await keeper.#letGo(),
    );
  }

  /**
   * Ends what runs in the namespaces and removes them.
   *
   * @throws {Error} Something could not be removed.
   */
  async release(): Promise<void> {
    const said = await this.#letGo();
    if (said !== "") throw new Error(`Cannot clean up: ${said}`);
  }

  /** @returns What went wrong, in the words of the commands; mostly nothing. */
  async #letGo(): Promise<string> {
    await this.#child.stdin.close();
    const said = await new Response(this.#child.stderr).text();
    await this.#child.status;
    return said.trim();
  }
}
