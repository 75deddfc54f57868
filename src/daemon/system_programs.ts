// Programs that a daemon runs, now or with the rights of now later on.
import { SystemError } from "../../ffi/errno.ts";
import { writeDescriptor } from "../../ffi/process/file.ts";
import { LineReader, openPipe } from "../../ffi/process/handover.ts";
import { errorText, type ProcessLibc } from "../../ffi/process/libc.ts";
import { spawn, waitForEnd } from "../../ffi/process/spawn.ts";
import {
  type KeptProgram,
  LONGEST_RUN_SECONDS,
  type ProgramEnd,
  type ProgramStart,
  type RunningProgram,
  type WordEnd,
  type WordProgram,
} from "./process_control.ts";

const SHELL = "/bin/sh";

/**
 * Waits for a line at descriptor 3, and becomes the program. The end of that
 * stream is the end of the daemon. A service manager that stops all processes of
 * a unit, or passes them the signals of a daemon, and a terminal signal both:
 * whoever waits for the word stays.
 */
const WAIT = `
trap 'woken=1' HUP INT QUIT TERM USR1 USR2
while :; do
  woken=
  if read -r word <&3; then exec 3<&-; exec "$@"; fi
  [ "$woken" ] || exit 0
done`;

/**
 * Runs the program with each new word of the two, as it comes at descriptor 3, in
 * front of its arguments, and says at descriptor 4 how that ended. A guard says the
 * same one again and again, of which nobody hears. With the end of that stream the
 * daemon is gone, and its guard: then what was announced is withdrawn. It has
 * rights that the daemon has given up, so it takes nothing else from there. A run
 * that hangs is ended, where there is timeout(1): the next one may withdraw.
 */
const LISTEN = `
trap 'woken=1' HUP INT QUIT TERM USR1 USR2
trap '' PIPE
last=
run=$1 program=$2; shift 2
if command -v timeout >/dev/null; then run="timeout -k 5 $run"; else run=; fi
while :; do
  woken=
  if read -r word <&3; then
    case $word in
      announce|withdraw) ;;
      end) exit 0 ;;
      *) continue ;;
    esac
    if [ "$word" = "$last" ]; then continue; fi
    $run "$program" "$word" "$@" 3<&- 4>&-
    echo "$word $?" >&4
    last=$word
  elif [ ! "$woken" ]; then
    if [ "$last" = announce ]; then exec $run "$program" withdraw "$@"; fi
    exit 0
  fi
done`;

/** Also for one that cannot be started, which is how it ends then. */
export function runProgramNow(
  libc: ProcessLibc,
  program: ProgramStart,
): RunningProgram {
  const output = openPipe(libc);
  const reader = new LineReader(libc, output.readEnd);
  try {
    const { path, args } = program;
    const pid = spawn(libc, {
      ...{ path, argv: [path, ...args], env: environmentOf(program) },
      ...{ newSession: false, descriptors: [], output: output.writeEnd },
    });
    return running(reader, waitForEnd(libc, pid));
  } catch (error) {
    reader[Symbol.dispose]();
    if (!(error instanceof SystemError)) throw error;
    const reason = errorText(libc, error.errno);
    return notRunning({ kind: "exec error", reason });
  } finally {
    libc.symbols.close(output.writeEnd);
  }
}

/** @throws if there is no shell, or no process for it */
export function keepProgram(
  libc: ProcessLibc,
  program: ProgramStart,
): KeptProgram {
  using cleanup = new DisposableStack();
  const [word, output] = [openPipe(libc), openPipe(libc)];
  for (const fd of [word.readEnd, output.writeEnd]) {
    cleanup.defer(() => libc.symbols.close(fd));
  }
  const reader = new LineReader(libc, output.readEnd);
  try {
    const pid = spawn(libc, {
      path: SHELL,
      argv: [SHELL, "-c", WAIT, "sh", program.path, ...program.args],
      env: environmentOf(program),
      newSession: true,
      descriptors: [word.readEnd],
      output: output.writeEnd,
    });
    return {
      run() {
        tell(libc, word.writeEnd);
        return running(reader, waitForEnd(libc, pid));
      },
    };
  } catch (error) {
    reader[Symbol.dispose]();
    libc.symbols.close(word.writeEnd);
    throw error;
  }
}

/**
 * See {@linkcode ProcessControl.listen}.
 * @param seconds For which it may run with a word
 * @throws if there is no shell, or no process for it
 */
export function listenForWords(
  libc: ProcessLibc,
  program: ProgramStart,
  seconds = LONGEST_RUN_SECONDS,
): WordProgram {
  using cleanup = new DisposableStack();
  const [words, ends, output] = [
    ...[openPipe(libc), openPipe(libc), openPipe(libc)],
  ] as const;
  for (const fd of [words.readEnd, ends.writeEnd, output.writeEnd]) {
    cleanup.defer(() => libc.symbols.close(fd));
  }
  using undo = new DisposableStack();
  undo.defer(() => libc.symbols.close(words.writeEnd));
  const reader = undo.use(new LineReader(libc, output.readEnd));
  const endReader = undo.use(new LineReader(libc, ends.readEnd));
  spawn(libc, {
    path: SHELL,
    argv: [
      ...[SHELL, "-c", LISTEN, "sh", String(seconds)],
      ...[program.path, ...program.args],
    ],
    env: environmentOf(program),
    newSession: true,
    descriptors: [words.readEnd, ends.writeEnd],
    output: output.writeEnd,
  });
  const opened = undo.move();
  return {
    words: words.writeEnd,
    say: (word) => write(libc, words.writeEnd, `${word}\n`),
    readLines: () => reader.readReady(),
    readEnds: () => endReader.readReady()?.map(wordEndOf),
    [Symbol.dispose]: () => opened.dispose(),
  };
}

function wordEndOf(line: string): WordEnd {
  const [word = "", status] = line.split(" ");
  return { word, status: Number(status) };
}

/** One that was killed meanwhile says so by its end. */
function tell(libc: ProcessLibc, fd: number): void {
  write(libc, fd, "run\n");
  libc.symbols.close(fd);
}

function write(libc: ProcessLibc, fd: number, text: string): void {
  try {
    writeDescriptor(libc, fd, "helper", new TextEncoder().encode(text));
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
  }
}

function environmentOf({ env }: ProgramStart): readonly string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}

function running(
  reader: LineReader,
  ended: Promise<ProgramEnd>,
): RunningProgram {
  return {
    ended,
    readLines: () => reader.readReady(),
    [Symbol.dispose]: () => reader[Symbol.dispose](),
  };
}

function notRunning(end: ProgramEnd): RunningProgram {
  return {
    ended: Promise.resolve(end),
    readLines: () => undefined,
    [Symbol.dispose]() {},
  };
}
