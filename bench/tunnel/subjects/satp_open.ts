/**
 * How two programs that speak SATP are started. All take the same options (CLI
 * section 2), so that any two of them make a tunnel.
 *
 * @module
 */

import { type Client, clientsFile } from "../../../lab/clients.ts";
import { startDaemon, type TestFolder } from "../../../lab/daemons.ts";
import type { Sides } from "../../../lab/lab.ts";
import type { LabProcess } from "../../../lab/process.ts";
import { crowd } from "../crowd.ts";
import {
  configureFan,
  FAN_CLIENTS,
  fanDevice,
  fanNetwork,
  fanServer,
} from "../fan.ts";
import type { Open, Variant } from "../subject.ts";
import {
  DEVICE,
  INNER4,
  INNER6,
  otherSide,
  type Side,
  Tunnel,
} from "../tunnel.ts";

/** A program as far as starting it is concerned. */
export interface SatpCommand {
  /** What is run, before the options. */
  readonly command: readonly string[];
  readonly ours?: true;
  /** Packets of the replay window, where it is not the usual one. */
  readonly window?: number;
  /** More options, after the others. */
  readonly options?: readonly string[];
}

const WINDOW = 1024;
/** The mux of a tunnel with one connection. */
export const MUX = 16;
/** What its keys are made of. */
export const PASSPHRASE = "benchmark";

/** The port of a daemon that is not told another one. */
const PORT = 4444;

/** Where the control daemon listens for those that know no unix sockets. */
const CONTROL = "127.0.0.1:2323";

const USUAL = [
  ...["--kd-prf", "aes-ctr-128", "--cipher", "aes-ctr-128"],
  ...["--auth-algo", "sha1", "--auth-tag-length", "10"],
];

/** No key, no cipher, no tag: what is left is moving packets. */
const BARE = [
  ...["--kd-prf", "null", "--cipher", "null", "--auth-algo", "null"],
];

/** The options of one end; they name the defaults that the figures rest on. */
function common(
  side: Side,
  device: string = DEVICE[side],
  mux = MUX,
  window = WINDOW,
): string[] {
  return [
    ...["--nodaemonize", "--log", "stdout:3"],
    ...["--dev", device, "--type", "tun"],
    ...["--window-size", String(window), "--mux", String(mux)],
    ...["--role", side],
  ];
}

function toRemote(lab: Sides, side: Side): string[] {
  const remote = lab[otherSide(side)].ipv4;
  return ["--remote-host", remote, "--passphrase", PASSPHRASE];
}

/** Keeps a program, and all that it starts, on some processors. */
function onProcessors(list: string): string[] {
  return ["taskset", "--cpu-list", list];
}

/** Starts one program on the left and another on the right. */
export function openWith(left: SatpCommand, right: SatpCommand): Open {
  const argv = (lab: Sides, side: Side, program: SatpCommand) => [
    ...program.command,
    ...common(side, DEVICE[side], MUX, program.window),
    ...USUAL,
    ...toRemote(lab, side),
    ...program.options ?? [],
  ];
  return (lab) =>
    Tunnel.open(lab, {
      argv: {
        left: argv(lab, "left", left),
        right: argv(lab, "right", right),
      },
    });
}

/** Starts a program at both ends in another than the usual way. */
export function openVariant(program: SatpCommand, variant: Variant): Open {
  const { command } = program;
  const pinned = (list: string) => ({
    ...program,
    command: [...onProcessors(list), ...command],
  });
  switch (variant) {
    case "crowd":
      return openCrowd(program);
    case "bare":
      return openBare(program);
    case "together":
      return openWith(pinned("0"), pinned("0"));
    case "apart":
      return openWith(pinned("0"), pinned("1"));
    default:
      return openFan(program, Number(variant.slice("fan-".length)));
  }
}

function openBare({ command }: SatpCommand): Open {
  return (lab) => {
    const argv = (side: Side) => {
      const remote = ["--remote-host", lab[otherSide(side)].ipv4];
      return [...command, ...common(side), ...BARE, ...remote];
    };
    return Tunnel.open(lab, {
      argv: { left: argv("left"), right: argv("right") },
    });
  };
}

/** A control daemon of ours on the left, and how a server asks for it. */
async function control(
  lab: Sides,
  scratch: TestFolder,
  clients: readonly Client[],
  ours: boolean,
): Promise<{ daemon: LabProcess; options: string[] }> {
  const file = scratch.file("clients");
  await Deno.writeTextFile(file, await clientsFile(clients));
  const address = ours ? `unix:${scratch.file("control")}` : CONTROL;
  const argv = ["controld", "-D", "-f", file, "-X", address];
  const daemon = startDaemon(lab.left, argv);
  return { daemon, options: ["--control-host", address] };
}

/** Starts it with connections from a control daemon of ours on the left. */
function openCrowd({ command, ours }: SatpCommand): Open {
  return async (lab, scratch) => {
    const networks = [`${INNER4.right}/32`, `${INNER6.right}/128`];
    const peer = { mux: MUX, passphrase: PASSPHRASE, networks };
    // The measured one comes last, so that all is there before it.
    const clients = [...crowd(), peer];
    const { daemon, options } = await control(
      lab,
      scratch,
      clients,
      ours ?? false,
    );
    return Tunnel.open(lab, {
      argv: {
        left: [...command, ...common("left"), ...USUAL, ...options],
        right: [
          ...[...command, ...common("right"), ...USUAL],
          ...toRemote(lab, "right"),
        ],
      },
      companions: [daemon],
    });
  };
}

/**
 * Starts a server on the first processors, with a worker for each of them, and
 * clients on the others, where there are any.
 */
function openFan({ command }: SatpCommand, workers: number): Open {
  const processors = navigator.hardwareConcurrency;
  const servers = `0-${workers - 1}`;
  const rest = workers < processors ? `${workers}-${processors - 1}` : servers;
  const client = (lab: Sides, index: number) => [
    ...[...onProcessors(rest), ...command, "--workers", "1"],
    ...common("right", fanDevice(index), MUX + index),
    ...["--port", String(PORT + index)],
    ...[...USUAL, ...toRemote(lab, "right")],
  ];
  return async (lab, scratch) => {
    const indices = Array.from({ length: FAN_CLIENTS }, (_, index) => index);
    const clients = indices.map((index) => ({
      mux: MUX + index,
      passphrase: PASSPHRASE,
      networks: [fanNetwork(index)],
    }));
    const { daemon, options } = await control(lab, scratch, clients, true);
    const others = indices.slice(1).map((index) => {
      const [program = "", ...args] = client(lab, index);
      return lab.right.spawn(program, ...args);
    });
    const tunnel = await Tunnel.open(lab, {
      argv: {
        left: [
          ...[...onProcessors(servers), ...command],
          ...fanServer(workers),
          ...[...common("left"), ...USUAL, ...options],
        ],
        right: client(lab, 0),
      },
      companions: [daemon, ...others],
    });
    try {
      await configureFan(lab);
    } catch (error) {
      await tunnel[Symbol.asyncDispose]();
      throw error;
    }
    return tunnel;
  };
}
