/**
 * The files below a folder, as paths from the root.
 *
 * @param root Ends with a slash
 */
export function* walk(root: URL, folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(new URL(folder, root))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* walk(root, path);
    else yield path;
  }
}
