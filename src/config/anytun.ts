/**
 * The options of the program `anytun` as a whole: what they mean together.
 *
 * @module
 */
import type { LogTarget } from "../log/target.ts";
import { OFFLOAD_NAMES } from "../tunnel/settings.ts";
import type { AnytunOptions, PostUpOptions } from "./anytun_options.ts";
import {
  type CommandLine,
  readCommandLine,
  type Settled,
  type Warn,
} from "./command_line.ts";
import { clusterOf } from "./cluster.ts";
import { deviceOf, mtuOf } from "./device.ts";
import { parametersOf, secretsIfGiven, secretsOf } from "./keys.ts";
import { logTargetsOf } from "./log_target.ts";
import { familyOf, requireFamily, roleOf } from "./peer.ts";
import type { SecretFiles } from "./secret_files.ts";
import { ANY_SENDER_ID, DEFAULT_SENDER_ID } from "./sender_id.ts";
import { anytunTable, type AnytunValues } from "./table.ts";
import type { Runtime } from "./version.ts";

/** A terminal or a supervisor that shows or keeps what it is told. */
const FOREGROUND_LOG: LogTarget = { kind: "stderr", level: 3 };
/** The default of the original (CLI section 2). */
const BACKGROUND_LOG: LogTarget = {
  kind: "syslog",
  level: 3,
  ident: undefined,
  facility: "daemon",
};

/**
 * Reads the arguments of `anytun`; touches nothing outside but the files that
 * hold secrets.
 *
 * @param argv Without the name of the program
 */
export function readAnytunCommandLine(
  argv: readonly string[],
  runtime: Runtime,
  files: SecretFiles,
): CommandLine<AnytunOptions> {
  const program = {
    name: "anytun",
    table: anytunTable,
    settle: (values: AnytunValues) => settle(values, runtime, files),
  };
  return readCommandLine(program, argv, runtime);
}

function settle(
  values: AnytunValues,
  runtime: Runtime,
  files: SecretFiles,
): Settled<AnytunOptions> {
  const warnings: string[] = [];
  const warn: Warn = (text) => warnings.push(text);
  const family = familyOf(values);
  const role = roleOf(values);
  requireFamily("--interface", values.localHost, family);
  requireFamily("--remote-host", values.remoteHost, family);
  const foreground = values.foreground || values.debug;
  const logTargets = logTargetsOf(
    values,
    foreground ? FOREGROUND_LOG : BACKGROUND_LOG,
  );
  const device = deviceOf(values, warn);
  const parameters = parametersOf(values, warn);
  const cluster = clusterOf(values, { runtime, files, warn });
  const isTold = cluster.syncServers.length > 0;
  const readSecrets = isTold ? secretsIfGiven : secretsOf;
  const secrets = readSecrets(values, parameters.kdPrf, files, warn);
  if (secrets === undefined && values.remoteHost !== undefined) {
    warn("--remote-host (-r) has no effect without a key or a passphrase");
  }
  // Windows of connections that others tell of come with them.
  if (values.windowSize === 0 && secrets !== undefined) {
    warn("window size is 0 (--window-size): replayed packets are accepted");
  }
  warnOfJail(values, warn);
  warnOfNoEffect(values, foreground, warn);
  const { username, groupname, chroot, pidFile, debug, logFormat } = values;
  const { localHost, localPort } = values;
  const { remoteHost, remotePort, fixedRemote } = values;
  const { ifconfig, mux, windowSize } = values;
  const isMember = isTold || cluster.syncServer !== undefined;
  const senderIds = values.senderIds ??
    (isMember ? DEFAULT_SENDER_ID : ANY_SENDER_ID);
  const options: AnytunOptions = {
    ...{ foreground, debug, logTargets, logFormat },
    ...{ username, groupname, chroot, pidFile },
    ...{ localHost, localPort, family },
    ...{ remoteHost, remotePort, fixedRemote },
    ...{ device, ifconfig, senderIds, mux, windowSize, role, secrets },
    ...{ ...parameters, cluster },
    mtu: mtuOf(values, device.type, parameters.tagLength, warn),
    postUp: postUpOf(values),
    engine: values.engine,
    workers: values.workers,
    offloads: values.offloads ?? new Set(OFFLOAD_NAMES),
  };
  return { options, warnings };
}

function warnOfJail({ chroot, username }: AnytunValues, warn: Warn): void {
  if (chroot !== undefined && username === undefined) {
    warn("chroot without another user (--username): root can leave the jail");
  }
}

function warnOfNoEffect(
  { log, groupname, username, postUpRequired, postUpScript }: AnytunValues,
  foreground: boolean,
  warn: Warn,
): void {
  if (groupname !== undefined && username === undefined) {
    warn("--groupname has no effect without --username (-u)");
  }
  if (postUpRequired && postUpScript === undefined) {
    warn("--post-up-required has no effect without --post-up-script (-x)");
  }
  if (foreground) return;
  for (const { kind } of log) {
    if (kind === "stdout" || kind === "stderr") {
      warn(`--log ${kind} has no effect without --nodaemonize (-D)`);
    }
  }
}

function postUpOf(
  { postUpScript: script, postUpRequired: required }: AnytunValues,
): PostUpOptions | undefined {
  return script === undefined ? undefined : { script, required };
}
