import type { LabHost } from "./lab.ts";
import { isFile, missingCommand } from "./lab_missing.ts";
import type { LabProcess } from "./lab_process.ts";

/** The tunnel device of every peer; each is on a host of its own. */
export const DEVICE = "at0";

/** The MTU of the device, in bytes: what anytun gives it with `-n`. */
const MTU = "1400";

/** What every anytun is told when it is started, whoever wrote it. */
export interface PeerSettings {
  readonly role: "left" | "right";
  readonly type: "tun" | "tap";
  /** The addresses of the tunnel device, each with its prefix length. */
  readonly addresses: readonly string[];
  /** UDP port to bind. */
  readonly port: number;
  /** Where the other peer is; without it the peer waits to be spoken to. */
  readonly remote?: { readonly host: string; readonly port: number };
  /** More options, as anytun(8) knows them. */
  readonly options: readonly string[];
}

/** An implementation of anytun that can be run on a host of a lab. */
export interface PeerProgram {
  readonly name: string;
  /** Why it can't be run here, or null if it can. */
  missing(): string | null;
  /**
   * Starts it in the foreground and gives its device the addresses.
   *
   * @returns The daemon, ready to carry packets.
   * @throws {Error} It did not come up.
   */
  start(host: LabHost, settings: PeerSettings): Promise<LabProcess>;
}

const OUR_MAIN = new URL("../../src/cli/main.ts", import.meta.url).pathname;
const OUR_BINARY = new URL("../../dist/anytun", import.meta.url).pathname;

/** This program, run from its source. */
export const oursFromSource: PeerProgram = {
  name: "ours",
  missing: () => null,
  start(host, settings) {
    const run = ["run", "--quiet", "--no-prompt", "--cached-only"];
    const permissions = ["--allow-net", "--allow-ffi"];
    return startOurs(
      host,
      [Deno.execPath(), ...run, ...permissions, OUR_MAIN],
      settings,
    );
  },
};

/** This program as one file, made by `deno compile`. */
export const oursAsBinary: PeerProgram = {
  name: "our binary",
  missing: () => isFile(OUR_BINARY) ? null : "dist/anytun is not built",
  start: (host, settings) => startOurs(host, [OUR_BINARY], settings),
};

/** anytun, the C++ program. */
export const anytun: PeerProgram = {
  name: "anytun",
  missing: () => missingCommand("anytun"),
  start: (host, settings) =>
    startOriginal(host, ["anytun", "-D", "-L", "stdout:4"], settings),
};

/** uanytun, the C program; its standard output would be buffered. */
export const uanytun: PeerProgram = {
  name: "uanytun",
  missing: () => missingCommand("uanytun"),
  start: (host, settings) =>
    startOriginal(host, ["uanytun", "-D", "-L", "stderr:4"], settings),
};

async function startOurs(
  host: LabHost,
  command: readonly string[],
  settings: PeerSettings,
): Promise<LabProcess> {
  const addresses = settings.addresses.flatMap((address) => ["-n", address]);
  const daemon = spawn(
    host,
    [...command, "-D", "-L", "stdout:4"],
    [...commonOptions(settings), ...addresses],
  );
  await daemon.line(/opening socket/);
  return daemon;
}

/**
 * The originals know no IPv6 address for the device, and need a program to
 * set an IPv4 one, so the device is configured from here.
 */
async function startOriginal(
  host: LabHost,
  command: readonly string[],
  settings: PeerSettings,
): Promise<LabProcess> {
  const daemon = spawn(host, command, commonOptions(settings));
  await daemon.line(/dev (of type .* )?opened/);
  for (const address of settings.addresses) {
    const noDad = address.includes(":") ? ["nodad"] : [];
    await host.ip("addr", "add", address, "dev", DEVICE, ...noDad);
  }
  await host.ip("link", "set", DEVICE, "mtu", MTU, "up");
  return daemon;
}

function spawn(
  host: LabHost,
  [program = "", ...args]: readonly string[],
  options: readonly string[],
): LabProcess {
  return host.spawn(program, ...args, ...options);
}

function commonOptions(settings: PeerSettings): string[] {
  const { role, type, port, remote, options } = settings;
  return [
    ...["-d", DEVICE, "-t", type, "-e", role, "-p", String(port)],
    ...(remote ? ["-r", remote.host, "-o", String(remote.port)] : []),
    ...options,
  ];
}
