// Files and links of a package.

export type Entry =
  | {
    /** Without a slash at its beginning. */
    readonly path: string;
    readonly mode: number;
    readonly bytes: Uint8Array<ArrayBuffer>;
  }
  | { readonly path: string; readonly link: string }
  | {
    readonly path: string;
    /** Mode of a folder with nothing in it. */
    readonly folder: number;
  };

const encoder = new TextEncoder();

export function textEntry(path: string, text: string, mode = 0o644): Entry {
  return { path, mode, bytes: encoder.encode(text) };
}

/** @param source Relative to the root of the project */
export async function fileEntry(
  path: string,
  source: string,
  mode = 0o644,
): Promise<Entry> {
  const url = new URL(`../../${source}`, import.meta.url);
  return { path, mode, bytes: await Deno.readFile(url) };
}

export async function writeEntries(
  folder: string,
  entries: readonly Entry[],
): Promise<void> {
  // Folders of a package are for everybody, whatever the umask of the builder.
  const made = new Set([""]);
  await Deno.mkdir(folder, { recursive: true });
  await Deno.chmod(folder, 0o755);
  for (const entry of entries) {
    await makeFolders(folder, entry.path, made);
    const path = `${folder}/${entry.path}`;
    if ("link" in entry) {
      await Deno.symlink(entry.link, path);
      continue;
    }
    if ("folder" in entry) {
      await Deno.mkdir(path);
      await Deno.chmod(path, entry.folder);
      continue;
    }
    await Deno.writeFile(path, entry.bytes);
    await Deno.chmod(path, entry.mode);
  }
}

async function makeFolders(
  root: string,
  path: string,
  made: Set<string>,
): Promise<void> {
  const parts = path.split("/").slice(0, -1);
  for (const [k] of parts.entries()) {
    const folder = parts.slice(0, k + 1).join("/");
    if (made.has(folder)) continue;
    made.add(folder);
    await Deno.mkdir(`${root}/${folder}`);
    await Deno.chmod(`${root}/${folder}`, 0o755);
  }
}
