// Builds the Debian package: `deno task deb [--binary FILE] [--out DIR]`.
//
// Of the same source and SOURCE_DATE_EPOCH the same bytes: without that variable
// the time of the last commit counts.
import project from "../deno.json" with { type: "json" };
import { architectureOf } from "./deb/architecture.ts";
import { contents } from "./deb/contents.ts";
import { controlFiles, fileNameOf } from "./deb/control.ts";
import { writeEntries } from "./deb/entries.ts";
import { argument, epochOfSource, run } from "./host.ts";

interface PackageOptions {
  /** The program, made by `deno task build`. */
  readonly binary: string;
  /** Folder of the package; it is made. */
  readonly out: string;
  /** Of all files, in seconds since 1970. */
  readonly epoch: number;
  /** From 0 to 9, as of xz(1). */
  readonly level: number;
}

/** @returns The path of the package */
export async function buildPackage(options: PackageOptions): Promise<string> {
  const { binary, out, epoch, level } = options;
  const release = {
    version: project.version,
    architecture: architectureOf(await firstBytes(binary)),
    date: new Date(epoch * 1000),
  };
  const files = await contents(binary, release);
  const folder = await Deno.makeTempDir();
  try {
    await writeEntries(folder, files);
    await writeEntries(`${folder}/DEBIAN`, await controlFiles(files, release));
    await Deno.mkdir(out, { recursive: true });
    const path = `${out}/${fileNameOf(release)}`;
    await run("dpkg-deb", [
      ...["--root-owner-group", "-Zxz", `-z${level}`],
      ...["--build", folder, path],
    ], { SOURCE_DATE_EPOCH: String(epoch) });
    return path;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function firstBytes(path: string): Promise<Uint8Array> {
  using file = await Deno.open(path);
  const bytes = new Uint8Array(64);
  await file.read(bytes);
  return bytes;
}

if (import.meta.main) {
  const path = await buildPackage({
    binary: argument("binary", "dist/anytun"),
    out: argument("out", "dist"),
    epoch: await epochOfSource(),
    level: 6,
  });
  Deno.stdout.writeSync(new TextEncoder().encode(`${path}\n`));
}
