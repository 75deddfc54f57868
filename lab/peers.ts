import { fastestEngine, whyNoLibcrypto } from "./engines.ts";
import type { LabHost } from "./host.ts";
import { missingCommand } from "./missing.ts";
import type { LabProcess } from "./process.ts";
import {
  asBinary,
  fromSource,
  type OurProgram,
  withoutWorkers,
} from "./programs.ts";

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

/** The program that is tested, in one of the ways to run it. */
interface OurPeer {
  readonly name: string;
  readonly program: OurProgram;
  /** What cryptography it is to choose, or is told to. */
  readonly engine: "fastest" | "openssl" | "builtin" | "webcrypto";
  /** Options that it always gets. */
  readonly options?: readonly string[];
}

/** This program from source, run as the README says first. */
export const oursFromSource: PeerProgram = ours({
  name: "ours (portable)",
  program: withoutWorkers,
  engine: "fastest",
});

/** The portable plane with nothing but what the runtime has. */
export const oursOnWebCrypto: PeerProgram = ours({
  name: "ours (portable, webcrypto)",
  program: withoutWorkers,
  engine: "webcrypto",
  options: ["--engine", "webcrypto"],
});

/** This program from source, permitted to load its workers. */
export const oursNative: PeerProgram = ours({
  name: "ours",
  program: fromSource,
  engine: "fastest",
});

/** The native plane with libcrypto alone. */
export const oursOnOpenssl: PeerProgram = ours({
  name: "ours (openssl)",
  program: fromSource,
  engine: "openssl",
  options: ["--engine", "openssl"],
});

/** The native plane without libcrypto. */
export const oursOnBuiltin: PeerProgram = ours({
  name: "ours (builtin)",
  program: fromSource,
  engine: "builtin",
  options: ["--engine", "builtin"],
});

/** The native plane in one thread. */
export const oursWithOneWorker: PeerProgram = ours({
  name: "ours (1 worker)",
  program: fromSource,
  engine: "fastest",
  options: ["--workers", "1"],
});

/** The native plane in two threads. */
export const oursWithTwoWorkers: PeerProgram = ours({
  name: "ours (2 workers)",
  program: fromSource,
  engine: "fastest",
  options: ["--workers", "2"],
});

/** The native plane, handing the kernel one packet at a time. */
export const oursWithoutOffloads: PeerProgram = ours({
  name: "ours (no offloads)",
  program: fromSource,
  engine: "fastest",
  options: ["--offload", "none"],
});

/** This program as one file, made by `deno compile`. */
export const oursAsBinary: PeerProgram = ours({
  name: "our binary",
  program: asBinary,
  engine: "fastest",
});

/** This program from source, started in another way. */
export function oursStartedAs(program: OurProgram): PeerProgram {
  return ours({ name: program.name, program, engine: "fastest" });
}

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

function ours({ name, program, engine, options = [] }: OurPeer): PeerProgram {
  const plane = program === withoutWorkers ? "portable" : "native";
  const needsLibcrypto = engine === "fastest" || engine === "openssl";
  return {
    name,
    missing: () =>
      program.missing ?? (needsLibcrypto ? whyNoLibcrypto() : null),
    async start(host, settings) {
      const daemon = spawn(
        host,
        [...program.command, "-D", "-L", "stdout:4", ...options],
        [
          ...commonOptions(settings),
          ...settings.addresses.flatMap((address) => ["-n", address]),
        ],
      );
      const chosen = engine === "fastest" ? fastestEngine() : engine;
      await daemon.line(new RegExp(`${plane} data plane, engine ${chosen} `));
      // From here on whatever comes is kept until it is carried.
      await daemon.line(/opening socket/);
      return daemon;
    },
  };
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
