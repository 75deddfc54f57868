// The program `anytun-withdraw`: takes away what a daemon that was killed has left
// announced.
import { claimName } from "../../ffi/net/abstract_claim.ts";
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import { AnycastDevice } from "../../ffi/tuntap/anycast_device.ts";
import { EXIT_FAILED, EXIT_OK } from "../config/exit_status.ts";
import { readWithdrawCommandLine } from "../config/withdraw_program.ts";
import { announceStart } from "../daemon/announce_script.ts";
import { withdrawAll } from "../daemon/withdrawal.ts";
import { visible } from "../log/visible.ts";
import { configHostFiles } from "./config_host_files.ts";
import { usersOfDaemons } from "./daemon_sockets.ts";
import { printCommandLine, printTo } from "./print.ts";
import { runWithdrawScript } from "./withdraw_script.ts";

export async function withdraw(
  argv: readonly string[],
  libc: ProcessLibc,
): Promise<number> {
  const files = configHostFiles(libc, "look");
  const commandLine = readWithdrawCommandLine(argv, Deno.version, files);
  if (commandLine.kind !== "run") return printCommandLine(commandLine);
  const { options } = commandLine;
  const { announce } = options;
  if (announce === undefined) {
    say("with this config nothing is announced");
    return EXIT_OK;
  }
  using cleanup = new DisposableStack();
  const isDone = await withdrawAll(announce, options.name, {
    ...{ fault, say },
    claimName: (name) => claimName(libc, name),
    users: usersOfDaemons(libc),
    openDevice: (name) => cleanup.use(new AnycastDevice(libc, name)),
    runScript: async (path) =>
      say(await runWithdrawScript(libc, announceStart(path, options))),
  });
  return isDone ? EXIT_OK : EXIT_FAILED;
}

function say(text: string): void {
  printTo(Deno.stdout, `anytun-withdraw: ${visible(text)}\n`);
}

function fault(text: string): void {
  printTo(Deno.stderr, `anytun-withdraw: ${visible(text)}\n`);
}
