// deno-lint-ignore-file no-console
// The files that one packet passes on the native plane, seen by the coverage of
// two runs that differ by a hundred packets.

const FEW = 200;
const MORE = FEW + 100;

interface Coverage {
  readonly url: string;
  readonly functions: readonly {
    readonly ranges: readonly { readonly count: number }[];
  }[];
}

/** How often functions of each product file were called. */
async function callsOf(packets: number): Promise<Map<string, number>> {
  const folder = Deno.makeTempDirSync();
  try {
    const probe = new URL("way_probe.ts", import.meta.url).pathname;
    const { success, stdout, stderr } = await new Deno.Command(
      Deno.execPath(),
      {
        args: ["test", "-A", "--no-check", `--coverage=${folder}`, probe],
        env: { PACKETS: `${packets}` },
      },
    ).output();
    if (!success) {
      throw new Error(new TextDecoder().decode(
        new Uint8Array([...stdout, ...stderr]),
      ));
    }
    return countCalls(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function countCalls(folder: string): Map<string, number> {
  const root = new URL("../", import.meta.url).href;
  const calls = new Map<string, number>();
  for (const { name } of Deno.readDirSync(folder)) {
    if (!name.endsWith(".json")) continue;
    const text = Deno.readTextFileSync(`${folder}/${name}`);
    const { url, functions }: Coverage = JSON.parse(text);
    const path = url.startsWith(root) ? url.slice(root.length) : "";
    if (!/^(?:src|ffi)\//.test(path)) continue;
    const sum = functions.reduce(
      (sum, { ranges: [first] }) => sum + (first?.count ?? 0),
      0,
    );
    calls.set(path, (calls.get(path) ?? 0) + sum);
  }
  return calls;
}

const few = await callsOf(FEW);
const more = await callsOf(MORE);
const passed = [...more].filter(([path, calls]) =>
  calls - (few.get(path) ?? 0) >= (MORE - FEW) / 2
);
for (const [path] of passed.sort()) console.log(path);
console.log(`${passed.length} files`);
