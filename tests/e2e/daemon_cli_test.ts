import assert from "node:assert/strict";
import { readAnytunCommandLine } from "../../src/config/anytun.ts";
import {
  type CliSample,
  lineOf,
  loadCliVectors,
} from "../vectors/cli_samples.ts";
import { lineIn, startDaemon, TestFolder } from "../../lab/daemons.ts";
import type { LabHost } from "../../lab/host.ts";
import { outcomeOf } from "../../lab/process.ts";
import { labTest } from "../../lab/test_case.ts";
import { OUR_PROGRAMS, type OurProgram } from "../../lab/programs.ts";
import { fakeHostFiles } from "../fakes/host_files.ts";
import { testUnless } from "../../lab/test_unless.ts";

/** What the parser makes of the samples is tested with the vectors. */
function parsed(argv: readonly string[]) {
  const runtime = { deno: "2.0.0", v8: "13.0" };
  return readAnytunCommandLine(argv, runtime, fakeHostFiles());
}

/** Lines that the parser takes and the system refuses. */
const REFUSED =
  /-u nosuchuser|-u nobody -g nosuchgroup|-C \/nonexistent|-d lo |-i 192\.0\.2\.99/;
/** Lines that log to the standard output, while errors belong on the other. */
const ON_STDOUT = /-U|-L stdout/;
/** Why it does not run, in the words of the log or of the program. */
const REASON = /^anytun: |ERROR: uncaught runtime error, exiting: /;
/** Lines that wait for a name that does not exist. */
const WAITING = /-i 300\.1\.1\.1/;

const samples = loadCliVectors().samples
  .filter(({ program }) => program === "anytun");
const ending = samples.filter(({ argv }) => parsed(argv).kind !== "run");
const running = [
  ...new Map(
    samples
      // The original runs without keys, which we never do.
      .map((sample) => ({ ...sample, argv: [...sample.argv, "-E", "x"] }))
      .filter(({ argv }) => parsed(argv).kind === "run")
      .map((sample) => [lineOf(sample), sample] as const),
  ).values(),
];

for (const program of OUR_PROGRAMS) {
  testUnless(
    [program.missing],
    `anytun ${program.name} says what its parser does`,
    async () => {
      // A few at a time: most of each is the start of the runtime.
      for (let i = 0; i < ending.length; i += 4) {
        const some = ending.slice(i, i + 4);
        await Promise.all(some.map(({ argv }) => saysTheSame(program, argv)));
      }
    },
  );

  labTest(
    `anytun ${program.name} runs as the samples say`,
    `d-cl${program.letter}`,
    [program.missing],
    async ({ left, right }) => {
      const half = Math.ceil(running.length / 2);
      await Promise.all([
        runAll(left, program, running.slice(0, half)),
        runAll(right, program, running.slice(half)),
      ]);
    },
  );
}

async function saysTheSame(
  program: OurProgram,
  argv: readonly string[],
): Promise<void> {
  const expected = parsed(argv);
  const { code, stdout: out, stderr } = await outcomeOf([
    ...program.command,
    ...argv,
  ]);
  if (expected.kind === "print") {
    assert.equal(code, 0);
    assert.match(out, /^(USAGE:|anytun version )/);
    assert.equal(stderr, "");
  } else if (expected.kind === "error") {
    assert.equal(code, 255);
    assert.equal(stderr, expected.stderr);
    assert.equal(out, "");
  }
}

async function runAll(
  host: LabHost,
  program: OurProgram,
  samples: readonly CliSample[],
): Promise<void> {
  for (const sample of samples) await run(host, program, sample);
}

async function run(
  host: LabHost,
  program: OurProgram,
  sample: CliSample,
): Promise<void> {
  using folder = new TestFolder();
  const line = lineOf(sample);
  const pidFile = folder.file("pid");
  const args = [...sample.argv, "-P", pidFile];
  const daemon = startDaemon(host, args, { program });
  if (REFUSED.test(line)) {
    assert.equal((await daemon.ended).code, 255, line);
    const said = daemon.lines.filter((text) => REASON.test(text));
    const times = ON_STDOUT.test(line) ? 2 : 1;
    assert.equal(said.length, times, `${line}: ${daemon.lines.join("\n")}`);
    return;
  }
  // Whatever is logged, the pid file is written when everything is set up.
  const ready = WAITING.test(line)
    ? daemon.line(/retrying in 10 sec/)
    : lineIn(pidFile, /^\d+$/);
  await ready.catch((cause) => {
    const said = daemon.lines.join("\n");
    throw new Error(`Cannot see '${line}' running: ${said}`, { cause });
  });
  assert.equal((await daemon.stop()).code, 0, line);
}
