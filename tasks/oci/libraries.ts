// Libraries of this host that the program needs, or is faster with.
import type { Entry } from "../deb/entries.ts";
import { run } from "../host.ts";

/** Opened by name at run time (`ffi/library.ts`); the last two, one of them. */
const AT_RUN_TIME = ["libcrypto.so.3", "libIPSec_MB.so.2", "libIPSec_MB.so.1"];

/** With the terms that they may be passed on under. */
export async function libraryEntries(
  binary: string,
): Promise<readonly Entry[]> {
  const opened = await atRunTime();
  const paths = new Set(opened);
  for (const file of [binary, ...opened]) {
    for (const path of await neededBy(file)) paths.add(path);
  }
  const all = [...paths].toSorted();
  return [
    ...await Promise.all(all.map((path) => copyOf(path, path, 0o755))),
    ...await termsOf(all),
  ];
}

/** @returns Absolute paths, as the dynamic linker looks for them */
async function neededBy(file: string): Promise<readonly string[]> {
  const text = await run("ldd", [file]);
  return [...text.matchAll(/^\s*(?:\S+ => )?(\/\S+) \(0x/gm)]
    .map(([, path = ""]) => path);
}

async function atRunTime(): Promise<readonly string[]> {
  const cache = await run("/sbin/ldconfig", ["-p"]);
  return AT_RUN_TIME.flatMap((name) => {
    const line = cache.split("\n").find((line) =>
      line.trim().startsWith(`${name} `)
    );
    return line?.split(" => ")[1] ?? [];
  });
}

/** Where a path is a link, what it leads to, under its name. */
async function copyOf(
  path: string,
  source: string,
  mode: number,
): Promise<Entry> {
  return { path: path.slice(1), mode, bytes: await Deno.readFile(source) };
}

async function termsOf(paths: readonly string[]): Promise<readonly Entry[]> {
  const packages = new Set<string>();
  for (const path of paths) packages.add(await packageOf(path));
  return await Promise.all(
    [...packages].toSorted().map((name) => {
      const terms = `/usr/share/doc/${name}/copyright`;
      return copyOf(terms, terms, 0o644);
    }),
  );
}

// dpkg knows a file by the name that it came under, before or after /lib became
// a link to usr/lib.
async function packageOf(path: string): Promise<string> {
  const names = [path, `/usr${path}`, await Deno.realPath(path)];
  names.push(names[2]?.replace(/^\/usr/, "") ?? "");
  for (const name of names) {
    const owner = await run("dpkg-query", ["--search", name])
      .catch(() => undefined);
    if (owner !== undefined) return owner.split(":")[0] ?? "";
  }
  throw new Error(`no Debian package has ${path}`);
}
