/**
 * A host with files of its own: what is written below /etc, /run, /var/lib and
 * /var/log stays between two commands, and nobody else sees it. Programs that a lab cannot have are replaced by scripts.
 */
import type { LabHost } from "./host.ts";
import { run } from "./process.ts";
import { fromSource } from "./programs.ts";

/** How long one script of a document may take, in seconds. */
const PATIENCE_SECONDS = 60;

const STAND_INS = new URL("./standins/", import.meta.url).pathname;

/** Folders of a host, and the names of those that stand in for them. */
const MOUNTS = {
  "/etc": "etc",
  "/run": "run",
  "/var/lib": "lib",
  "/var/log": "log",
  "/usr/local/sbin": "sbin",
} as const;

/** Where scripts start: /root may have what runs them. */
const HOME = "home";

/** What the package of the program makes, for root and its own user. */
const PACKAGE_FOLDERS = [
  "etc/anytun",
  "etc/credstore",
  "lib/anytun",
  "run/anytun",
  "run/anytun-controld",
];

/** Where addresses lead to, for programs that copy to another host. */
export type Neighbours = Readonly<Record<string, string>>;

const BIND = [
  "set -e",
  ...Object.entries(MOUNTS).map(([path, name]) =>
    `mount --bind "$1/${name}" ${path}`
  ),
  `cd "$1/${HOME}"`,
  "export PATH=/usr/local/sbin:$PATH LAB=$1",
  // Folders of this host are its own: nothing has to be kept out of them.
  "unset STATE_DIRECTORY RUNTIME_DIRECTORY",
  "shift",
  'exec "$@"',
].join("\n");

interface ScriptOutcome {
  readonly code: number;
  /** Of both streams, in the order of writing. */
  readonly text: string;
}

export class OwnFolders {
  readonly host: LabHost;
  readonly folder: string;

  private constructor(host: LabHost, folder: string) {
    this.host = host;
    this.folder = folder;
  }

  /**
   * @param folder An empty one, to be removed by whoever has made it
   * @param neighbours Folders of all hosts, by their addresses
   */
  static async make(
    host: LabHost,
    folder: string,
    neighbours: Neighbours,
  ): Promise<OwnFolders> {
    const own = new OwnFolders(host, folder);
    for (const name of [...Object.values(MOUNTS), HOME]) {
      Deno.mkdirSync(`${folder}/${name}`, { recursive: true });
    }
    await run(["cp", "-a", "/etc/.", `${folder}/etc`]);
    await run(["rm", "-rf", `${folder}/etc/anytun`]);
    for (const name of PACKAGE_FOLDERS) {
      Deno.mkdirSync(`${folder}/${name}`, { recursive: true, mode: 0o700 });
    }
    addUser(`${folder}/etc`);
    const text = Object.entries(neighbours)
      .map(([address, place]) => `${address} ${place}\n`).join("");
    Deno.writeTextFileSync(`${folder}/neighbours`, text);
    await run(["cp", "-r", `${STAND_INS}.`, `${folder}/sbin`]);
    own.#linkPrograms();
    return own;
  }

  /** Runs a script as root would type it, and stops at the first failure. */
  async sh(script: string): Promise<ScriptOutcome> {
    const { code, stdout } = await this.host.outcome([
      ...["sh", "-c", BIND, "sh", this.folder],
      ...["bash", "-c", `exec 2>&1; set -e; ${script}`],
    ], { seconds: PATIENCE_SECONDS });
    return { code, text: stdout };
  }

  /** Writes a file as a host sees it, such as `/etc/anytun/office.yaml`. */
  write(path: string, text: string): void {
    const mount = Object.keys(MOUNTS).find((one) => path.startsWith(`${one}/`));
    if (mount === undefined) throw new Error(`Cannot write ${path} in a lab`);
    const name = MOUNTS[mount as keyof typeof MOUNTS];
    const place = `${this.folder}/${name}${path.slice(mount.length)}`;
    Deno.mkdirSync(place.replace(/\/[^/]*$/, ""), { recursive: true });
    Deno.writeTextFileSync(place, text);
  }

  /** All names of the program; the first word or the name says which it is. */
  #linkPrograms(): void {
    const command = fromSource.command.map((word) => `'${word}'`).join(" ");
    for (const word of ["", "config", "controld", "showtables", "genkey"]) {
      const name = word === "" ? "anytun" : `anytun-${word}`;
      const path = `${this.folder}/sbin/${name}`;
      const text = `#!/bin/sh\nexec ${command} ${word} "$@"\n`;
      Deno.writeTextFileSync(path, text, { mode: 0o755 });
    }
  }
}

/** The user of the package, unless a package of this machine has made it. */
function addUser(etc: string): void {
  const users = Deno.readTextFileSync(`${etc}/passwd`);
  if (/^anytun:/m.test(users)) return;
  const append = { append: true };
  const user = "anytun:x:997:997::/run/anytun:/usr/sbin/nologin\n";
  Deno.writeTextFileSync(`${etc}/passwd`, user, append);
  Deno.writeTextFileSync(`${etc}/group`, "anytun:x:997:\n", append);
}
