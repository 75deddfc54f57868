// The program `anytun-config`: records of one client (sync section 6).
import { readEnvironment } from "../../ffi/process/process.ts";
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import {
  type ConfigOptions,
  configTable,
  readConfigCommandLine,
} from "../config/config.ts";
import { systemWorld } from "../daemon/system_world.ts";
import type { World } from "../daemon/world.ts";
import { openLog } from "../log/log.ts";
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import type { Endpoint } from "../net/endpoint.ts";
import { formatPrefix } from "../net/prefix.ts";
import { Resolver } from "../net/resolver.ts";
import { masterSecrets } from "../satp/secrets.ts";
import {
  configRecords,
  configText,
  hangsOriginals,
} from "../sync/client_config.ts";
import { hideSecrets } from "./hide_secrets.ts";
import { printCommandLine, printTo } from "./print.ts";
import { secretFiles } from "./secret_files.ts";

const EXIT_FAILED = 255;

export async function config(
  argv: readonly string[],
  libc: ProcessLibc,
): Promise<number> {
  const environment = readEnvironment(libc);
  hideSecrets(libc, configTable, argv);
  const files = secretFiles(libc, environment);
  const commandLine = readConfigCommandLine(argv, Deno.version, files);
  if (commandLine.kind !== "run") return printCommandLine(commandLine);
  const { options, warnings } = commandLine;
  const world = systemWorld(libc, environment);
  using log = openLog({
    targets: options.logTargets,
    format: "text",
    program: "anytun-config",
    // Standard output is for records alone.
  }, { ...world, stdout: Deno.stderr });
  const { logger } = log;
  for (const warning of warnings) logger.warning(warning);
  try {
    printTo(Deno.stdout, await recordsOf(options, world, logger));
    return 0;
  } catch (error) {
    logger.error(reasonOf(error));
    return EXIT_FAILED;
  }
}

async function recordsOf(
  options: ConfigOptions,
  world: World,
  logger: Logger,
): Promise<string> {
  const { mux, role, windowSize, kdPrf, routes } = options;
  for (const route of routes.filter(hangsOriginals)) {
    logger.warning(
      `route ${formatPrefix(route)} (--route) makes anytun 0.3.8 hang: ` +
        "not for its clusters",
    );
  }
  const secrets = await masterSecrets(kdPrf, options.secrets, world.digest);
  const endpoint = await endpointOf(options, world, logger);
  const client = { mux, role, secrets, windowSize, endpoint, routes };
  return configText(configRecords(client));
}

async function endpointOf(
  { remoteHost: host, remotePort: port, family }: ConfigOptions,
  { lookup, delay }: World,
  logger: Logger,
): Promise<Endpoint> {
  if (host === undefined) {
    const address = family === "6"
      ? { family: 6, bytes: new Uint8Array(16) } as const
      : { family: 4, bytes: new Uint8Array(4) } as const;
    return { address, port };
  }
  const resolver = new Resolver(lookup, delay, logger);
  try {
    const [favourite] = await resolver.resolveOnce({ host, port, family });
    return favourite;
  } catch (cause) {
    throw new Error(
      `Cannot resolve '${host}' (--remote-host): ${reasonOf(cause)}`,
      { cause },
    );
  }
}
