// The program `anytun-withdraw`: takes away what a daemon that was killed has left
// announced.
import { claimName } from "../../ffi/net/abstract_claim.ts";
import { effectiveUser, findUser } from "../../ffi/process/identity.ts";
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import { readEnvironment } from "../../ffi/process/process.ts";
import { spawn, waitForEnd } from "../../ffi/process/spawn.ts";
import { AnycastDevice } from "../../ffi/tuntap/anycast_device.ts";
import { readConfigText } from "../config/config_file.ts";
import { EXIT_FAILED, EXIT_OK } from "../config/exit_status.ts";
import { PACKAGED_USER } from "../config/host_files.ts";
import {
  readWithdrawCommandLine,
  type WithdrawOptions,
} from "../config/withdraw_program.ts";
import { announceStart, PATIENCE_MS } from "../daemon/announce_script.ts";
import { withdrawAddresses } from "../daemon/withdrawal.ts";
import { reasonOf } from "../log/reason.ts";
import { visible } from "../log/visible.ts";
import { delay } from "../net/delay.ts";
import { hostFiles } from "./host_files.ts";
import { printCommandLine, printTo } from "./print.ts";

const STDOUT = 1;

export async function withdraw(
  argv: readonly string[],
  libc: ProcessLibc,
): Promise<number> {
  const files = hostFiles(
    libc,
    readEnvironment(libc),
    "look",
    undefined,
    readConfigText,
  );
  const commandLine = readWithdrawCommandLine(argv, Deno.version, files);
  if (commandLine.kind !== "run") return printCommandLine(commandLine);
  const { options } = commandLine;
  const { announce } = options;
  if (announce === undefined) {
    say("with this config nothing is announced");
    return EXIT_OK;
  }
  try {
    using cleanup = new DisposableStack();
    withdrawAddresses(announce, {
      say,
      claimName: (name) => claimName(libc, name),
      users: [effectiveUser(libc), findUser(libc, PACKAGED_USER)?.uid],
      logger: { warning: fault },
      openDevice: (name) => cleanup.use(new AnycastDevice(libc, name)),
    });
    return await runScript(libc, options);
  } catch (error) {
    fault(reasonOf(error));
    return EXIT_FAILED;
  }
}

/** After the addresses, as the daemon does it; a script is told again at most. */
async function runScript(
  libc: ProcessLibc,
  options: WithdrawOptions,
): Promise<number> {
  const script = options.announce?.script;
  if (script === undefined) return EXIT_OK;
  const { path, args, env } = announceStart(script, options);
  const pid = spawn(libc, {
    ...{ path, argv: [path, "withdraw", ...args], newSession: false },
    env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    ...{ descriptors: [], output: STDOUT },
  });
  const end = await Promise.race([
    waitForEnd(libc, pid),
    delay(PATIENCE_MS).then(() => undefined),
  ]);
  const how = end === undefined
    ? `has not ended after ${PATIENCE_MS / 1000} s`
    : end.kind === "signal"
    ? `was killed by signal ${end.signal}`
    : `returned ${end.status}`;
  const text = `script '${path} withdraw' ${how}`;
  if (end?.kind === "exit" && end.status === 0) say(text);
  else fault(`${text} (--announce-script)`);
  return end?.kind === "exit" && end.status === 0 ? EXIT_OK : EXIT_FAILED;
}

function say(text: string): void {
  printTo(Deno.stdout, `anytun-withdraw: ${visible(text)}\n`);
}

function fault(text: string): void {
  printTo(Deno.stderr, `anytun-withdraw: ${visible(text)}\n`);
}
