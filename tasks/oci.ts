// Builds an OCI image from nothing: `deno task oci [--binary FILE] [--out DIR]`.
//
// Two layers: the C library and what the program opens at run time, as this host
// has them, and the program. There is no shell, and nothing else to run. It takes
// umoci(1), ldd(1), and a host of the binary's architecture; no daemon, no
// network.
import project from "../deno.json" with { type: "json" };
import { architectureOf } from "./deb/architecture.ts";
import {
  type Entry,
  fileEntry,
  textEntry,
  writeEntries,
} from "./deb/entries.ts";
import { argument, epochOfSource, run } from "./host.ts";
import { libraryEntries } from "./oci/libraries.ts";

interface ImageOptions {
  readonly binary: string;
  /** The layout, as of the OCI image specification; made anew. */
  readonly out: string;
  /** Of all files, in seconds since 1970. */
  readonly epoch: number;
}

export const TAG = "latest";

/** What the program is called with, unless the user says something else. */
const COMMAND = ["--nodaemonize", "--username", "anytun", "--config", "anytun"];

export async function buildImage(options: ImageOptions): Promise<void> {
  const { binary, out, epoch } = options;
  const bytes = await Deno.readFile(binary);
  const architecture = architectureOf(bytes);
  const layers = await Deno.makeTempDir();
  const image = `${out}:${TAG}`;
  try {
    await run("umoci", ["init", "--layout", out]);
    await run("umoci", ["new", "--image", image]);
    const layer = async (name: string, entries: readonly Entry[]) => {
      const folder = `${layers}/${name}`;
      await writeEntries(folder, entries);
      await run("find", [
        folder,
        "-exec",
        "touch",
        "-hd",
        `@${epoch}`,
        "{}",
        "+",
      ]);
      await run("umoci", [
        ...["insert", "--image", image, ...history(epoch, name), folder, "/"],
      ]);
    };
    await layer("system", [
      ...await libraryEntries(binary),
      ...await surroundings(),
    ]);
    await layer("program", [
      { path: "usr/sbin/anytun", mode: 0o755, bytes },
      { path: "anytun", link: "usr/sbin/anytun" },
    ]);
    await run("umoci", [
      ...["config", "--image", image, ...history(epoch, "configuration")],
      ...["--created", dateOf(epoch)],
      ...["--os", "linux", "--architecture", architecture],
      ...["--config.entrypoint", "/usr/sbin/anytun"],
      ...COMMAND.flatMap((word) => ["--config.cmd", word]),
      ...["--config.stopsignal", "SIGTERM", "--config.workingdir", "/"],
      ...["--config.volume", "/var/lib/anytun"],
      ...labels().flatMap((label) => ["--config.label", label]),
    ]);
    await run("umoci", ["gc", "--layout", out]);
  } finally {
    await Deno.remove(layers, { recursive: true });
  }
}

/** Of a system without anything else. */
async function surroundings(): Promise<readonly Entry[]> {
  return [
    ...await Promise.all(
      ["passwd", "group", "nsswitch.conf"].map((name) =>
        fileEntry(`etc/${name}`, `packaging/oci/${name}`)
      ),
    ),
    textEntry("etc/anytun/README", "Mount a folder with anytun.yaml here.\n"),
    { path: "run/anytun", folder: 0o755 },
    { path: "var/lib/anytun", folder: 0o700 },
    { path: "tmp", folder: 0o1777 },
  ];
}

function labels(): readonly string[] {
  const prefix = "org.opencontainers.image";
  return [
    `${prefix}.title=anytun`,
    `${prefix}.version=${project.version}`,
    `${prefix}.licenses=${project.license}`,
    `${prefix}.description=VPN daemon of the secure anycast tunneling protocol`,
  ];
}

function history(epoch: number, what: string): readonly string[] {
  const made = ["--history.created", dateOf(epoch)];
  return [...made, "--history.created_by", `deno task oci: ${what}`];
}

function dateOf(epoch: number): string {
  return new Date(epoch * 1000).toISOString().replace(".000Z", "Z");
}

if (import.meta.main) {
  await buildImage({
    binary: argument("binary", "dist/anytun"),
    out: argument("out", "dist/oci"),
    epoch: await epochOfSource(),
  });
}
