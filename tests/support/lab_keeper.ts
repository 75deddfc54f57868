/**
 * Makes the namespaces, says so, waits until its standard input closes - which
 * happens when the holder lets go and also when it dies, be it of SIGKILL - and
 * then ends what still runs in them and removes them.
 */
const SCRIPT = `
made=
for namespace; do
  ip netns add "$namespace" && made="$made $namespace" || break
done
echo "made$made"
read -r _
for namespace in $made; do
  for pid in $(ip netns pids "$namespace"); do kill -KILL "$pid" 2>/dev/null; done
  ip netns delete "$namespace"
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

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of stream) {
    text += decoder.decode(bytes, { stream: true });
    if (text.includes("\n")) break;
  }
  return text.split("\n")[0] ?? "";
}
