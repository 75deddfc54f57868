// The programs `anytun-drain`, which has traffic led elsewhere and waits until it
// is, and `anytun-undrain`.
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import {
  EXIT_STILL_CARRIES,
  readDrainCommandLine,
  readUndrainCommandLine,
} from "../config/drain_program.ts";
import { EXIT_FAILED, EXIT_OK } from "../config/exit_status.ts";
import { LocalStreams } from "../daemon/local_streams.ts";
import { visible } from "../log/visible.ts";
import { reasonOf } from "../log/reason.ts";
import { delay } from "../net/delay.ts";
import { askChange, askReport } from "../status/client.ts";
import { untilEmpty } from "../status/drain_watch.ts";
import { DRAIN_PATH, TOTALS_PATH, UNDRAIN_PATH } from "../status/site.ts";
import { oneSocket, whyNoAnswer } from "./daemon_sockets.ts";
import { printCommandLine, printTo } from "./print.ts";

export async function drain(
  argv: readonly string[],
  libc: ProcessLibc,
): Promise<number> {
  const commandLine = readDrainCommandLine(argv, Deno.version);
  if (commandLine.kind !== "run") return printCommandLine(commandLine);
  const { name, wait } = commandLine.options;
  return await ask("anytun-drain", name, libc, async (connect) => {
    say(await askChange(connect(), delay, DRAIN_PATH));
    if (wait === 0) return EXIT_OK;
    const drained = await untilEmpty(
      async () => await askReport(connect(), delay, TOTALS_PATH),
      wait,
      { delay, elapsed: () => performance.now() },
    );
    say(drained.text);
    return drained.isEmpty ? EXIT_OK : EXIT_STILL_CARRIES;
  });
}

export async function undrain(
  argv: readonly string[],
  libc: ProcessLibc,
): Promise<number> {
  const commandLine = readUndrainCommandLine(argv, Deno.version);
  if (commandLine.kind !== "run") return printCommandLine(commandLine);
  const { name } = commandLine.options;
  return await ask("anytun-undrain", name, libc, async (connect) => {
    say(await askChange(connect(), delay, UNDRAIN_PATH));
    return EXIT_OK;
  });
}

type Connect = () => ReturnType<
  ReturnType<LocalStreams["openUnixStreams"]>["connect"]
>;

async function ask(
  program: string,
  name: string | undefined,
  libc: ProcessLibc,
  work: (connect: Connect) => Promise<number>,
): Promise<number> {
  let path: string | undefined;
  await using streams = new LocalStreams(libc);
  try {
    path = oneSocket(name, libc);
    const place = { path };
    return await work(() => streams.openUnixStreams().connect(place));
  } catch (error) {
    const why = path === undefined ? reasonOf(error) : whyNoAnswer(path, error);
    printTo(Deno.stderr, `${program}: ${visible(why)}\n`);
    return EXIT_FAILED;
  }
}

function say(text: string): void {
  printTo(Deno.stdout, `${visible(text)}\n`);
}
