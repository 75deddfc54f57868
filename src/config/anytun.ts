/**
 * The options of the program `anytun` as a whole: what they mean together.
 *
 * @module
 */
import type { LogTarget } from "../log/target.ts";
import type { FamilyChoice } from "../net/resolver.ts";
import { type Role, roleFromName } from "../satp/params.ts";
import type { AnytunOptions } from "./anytun_options.ts";
import {
  type CommandLine,
  readCommandLine,
  type Settled,
  type Warn,
} from "./command_line.ts";
import { deviceOf, mtuOf } from "./device.ts";
import { OptionFault, SyntaxFault } from "./fault.ts";
import { parametersOf, secretsOf } from "./keys.ts";
import { anytunTable, type AnytunValues } from "./table.ts";
import { OFFLOAD_NAMES } from "./speed.ts";
import type { Runtime } from "./version.ts";

const DEFAULT_LOG_TARGET: LogTarget = { kind: "stderr", level: 3 };
const DEBUG_LOG_TARGET: LogTarget = { kind: "stdout", level: 5 };

/**
 * Reads the arguments of `anytun`; touches nothing outside.
 *
 * @param argv Without the name of the program
 */
export function readAnytunCommandLine(
  argv: readonly string[],
  runtime: Runtime,
): CommandLine<AnytunOptions> {
  const program = { name: "anytun", table: anytunTable, settle };
  return readCommandLine(program, argv, runtime);
}

function settle(values: AnytunValues): Settled<AnytunOptions> {
  const warnings: string[] = [];
  const warn: Warn = (text) => warnings.push(text);
  const family = familyOf(values);
  const role = roleOf(values);
  requireForeground(values);
  const logTargets = logTargetsOf(values);
  const device = deviceOf(values, warn);
  const parameters = parametersOf(values, warn);
  const secrets = secretsOf(values, parameters.kdPrf, warn);
  if (values.windowSize === 0) {
    warn("window size is 0 (--window-size): replayed packets are accepted");
  }
  const options: AnytunOptions = {
    foreground: true,
    debug: values.debug,
    logTargets,
    localHost: values.localHost,
    localPort: values.localPort,
    remoteHost: values.remoteHost,
    remotePort: values.remotePort,
    family,
    device,
    ifconfig: values.ifconfig,
    mtu: mtuOf(values, device.type, parameters.tagLength, warn),
    senderId: values.senderId,
    mux: values.mux,
    windowSize: values.windowSize,
    role,
    ...parameters,
    secrets,
    engine: values.engine,
    workers: values.workers,
    offloads: values.offloads ?? new Set(OFFLOAD_NAMES),
  };
  return { options, warnings };
}

function familyOf({ ipv4Only, ipv6Only }: AnytunValues): FamilyChoice {
  if (ipv4Only && ipv6Only) {
    throw new SyntaxFault("-4 and -6 are mutual exclusive", undefined);
  }
  if (ipv4Only) return "4";
  return ipv6Only ? "6" : "any";
}

function roleOf(values: AnytunValues): Role {
  const role = roleFromName(values.role);
  if (role === undefined) {
    throw new SyntaxFault(
      `unknown role name: ${values.role}`,
      undefined,
      "-e needs left, alice or server; or right, bob or client",
    );
  }
  return role;
}

/** Going to the background is not there yet, and not to be passed over. */
function requireForeground({ foreground, debug }: AnytunValues): void {
  if (foreground || debug) return;
  throw new OptionFault(
    "Cannot run in the background yet: add --nodaemonize (-D) or --debug (-U)",
  );
}

/** @throws {OptionFault} if a stream is to take every line twice */
function logTargetsOf({ log, debug }: AnytunValues): readonly LogTarget[] {
  const targets = debug ? [...log, DEBUG_LOG_TARGET] : log;
  for (const kind of ["stdout", "stderr"]) {
    if (targets.filter((target) => target.kind === kind).length > 1) {
      throw new OptionFault(
        `${kind} logtarget is supported only once (--log` +
          `${debug ? ", --debug" : ""})`,
      );
    }
  }
  return targets.length === 0 ? [DEFAULT_LOG_TARGET] : targets;
}
