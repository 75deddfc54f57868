// The arguments of all programs of the binary.
import { strict as assert } from "node:assert";
import { chooseProgram } from "../../../src/cli/program.ts";
import {
  anytunTable,
  readAnytunCommandLine,
} from "../../../src/config/anytun.ts";
import { secretArguments } from "../../../src/config/arguments.ts";
import { readCheckCommandLine } from "../../../src/config/check.ts";
import type { CommandLine } from "../../../src/config/command_line.ts";
import {
  configTable,
  readConfigCommandLine,
} from "../../../src/config/config.ts";
import {
  controldTable,
  readControldCommandLine,
} from "../../../src/config/controld.ts";
import { OptionFault } from "../../../src/config/fault.ts";
import { readShowConfigCommandLine } from "../../../src/config/show_config.ts";
import { readFleetCommandLine } from "../../../src/config/fleet.ts";
import { fleetTable } from "../../../src/config/fleet_table.ts";
import { readGenkeyCommandLine } from "../../../src/config/genkey.ts";
import { namesOf, type OptionTable } from "../../../src/config/option.ts";
import { type ProgramName, PROGRAMS } from "../../../src/config/programs.ts";
import type { HostFiles } from "../../../src/config/host_files.ts";
import {
  readShowtablesCommandLine,
  showtablesTable,
} from "../../../src/config/showtables.ts";
import { fakeHostFiles } from "../../fakes/host_files.ts";
import { loadCliVectors } from "../../vectors/cli_samples.ts";
import {
  drainTable,
  readDrainCommandLine,
  readUndrainCommandLine,
  undrainTable,
} from "../../../src/config/drain_program.ts";
import {
  healthTable,
  readHealthCommandLine,
} from "../../../src/config/health_program.ts";
import {
  readWithdrawCommandLine,
  withdrawTable,
} from "../../../src/config/withdraw_program.ts";
import {
  readStatusCommandLine,
  statusTable,
} from "../../../src/config/status_program.ts";
import type { Target } from "../target.ts";

const RUNTIME = { deno: "2.9.6", v8: "15.0" };

/** Longer than what a message says anyway. */
const TELLING = 8;

const FILES = {
  key: { text: "0123456789abcdef0123456789abcdef\n" },
  salt: { text: "0123456789abcdef0123456789ab", isPublic: true },
  "": { text: "a passphrase\n" },
};

interface Reader {
  readonly table: OptionTable;
  readonly read: (
    argv: readonly string[],
    files: HostFiles,
  ) => CommandLine<unknown>;
}

const READERS: Readonly<Record<ProgramName, Reader>> = {
  anytun: {
    table: anytunTable,
    read: (argv, files) => readAnytunCommandLine(argv, RUNTIME, files),
  },
  "anytun-config": {
    table: configTable,
    read: (argv, files) => readConfigCommandLine(argv, RUNTIME, files),
  },
  "anytun-check": {
    table: {},
    read: (argv) => readCheckCommandLine(argv, RUNTIME),
  },
  "anytun-show-config": {
    table: anytunTable,
    read(argv, files) {
      const line = readShowConfigCommandLine(argv, RUNTIME, files);
      if (line.kind !== "run") return line;
      const { text, fault = "" } = line.options;
      return { ...line, warnings: [...line.warnings, text, fault] };
    },
  },
  "anytun-controld": {
    table: controldTable,
    read: (argv, files) => readControldCommandLine(argv, RUNTIME, files),
  },
  "anytun-showtables": {
    table: showtablesTable,
    read: (argv, files) => readShowtablesCommandLine(argv, RUNTIME, files),
  },
  "anytun-status": {
    table: statusTable,
    read: (argv) => readStatusCommandLine(argv, RUNTIME),
  },
  "anytun-fleet": {
    table: fleetTable,
    read: (argv, files) => readFleetCommandLine(argv, RUNTIME, files),
  },
  "anytun-health": {
    table: healthTable,
    read: (argv) => readHealthCommandLine(argv, RUNTIME),
  },
  "anytun-drain": {
    table: drainTable,
    read: (argv) => readDrainCommandLine(argv, RUNTIME),
  },
  "anytun-undrain": {
    table: undrainTable,
    read: (argv) => readUndrainCommandLine(argv, RUNTIME),
  },
  "anytun-withdraw": {
    table: withdrawTable,
    read: (argv, files) => readWithdrawCommandLine(argv, RUNTIME, files),
  },
  "anytun-genkey": {
    table: {},
    read: (argv) => readGenkeyCommandLine(argv, RUNTIME),
  },
};

/** An input is the name that the binary is called by and each argument, by NUL. */
export default function open(): Target {
  const names = Object.values(READERS).flatMap(({ table }) =>
    Object.values(table).flatMap(namesOf)
  );
  const { samples } = loadCliVectors();
  return {
    seeds: samples.map(({ program, argv }) =>
      new TextEncoder().encode([program, ...argv].join("\0"))
    ),
    words: [
      ...new Set(names.map((name) => `\0${name}\0`)),
      ...Object.keys(PROGRAMS),
      ...["\0", "-", ":", ",", "/", "[", "]", "unix:", "%", "auto", "null"],
      ...["key", "salt", "fe80::1%eth0", "10.0.0.1/24", "syslog:", "stdout:5"],
      "0123456789abcdef",
    ],
    maxBytes: 160,
    run(input) {
      const [calledAs = "", ...argv] = new TextDecoder().decode(input)
        .split("\0");
      const chosen = choose(calledAs, argv);
      if (chosen === undefined) return;
      assertAnswer(READERS[chosen.name], chosen.rest);
    },
  };
}

function choose(calledAs: string, argv: readonly string[]) {
  try {
    return chooseProgram(calledAs, argv);
  } catch (error) {
    assert.ok(error instanceof OptionFault, `untyped: ${error}`);
    return undefined;
  }
}

function assertAnswer(reader: Reader, argv: readonly string[]): void {
  const said = saidTo(reader, argv);
  if (said === "") return;
  const secret = secretArguments(reader.table, argv);
  const others = argv.filter((_, index) => !secret.includes(index)).join("\0");
  for (const index of secret) {
    const value = argv[index] ?? "";
    const isTold = value.length >= TELLING && !others.includes(value) &&
      said.includes(value);
    // It may have the very words of the message.
    if (!isTold || saidTo(reader, argv.with(index, "#")).includes(value)) {
      continue;
    }
    assert.fail(`a secret is shown: ${said}`);
  }
}

function saidTo({ read }: Reader, argv: readonly string[]): string {
  const answer = read(argv, fakeHostFiles(FILES));
  if (answer.kind === "run") return answer.warnings.join();
  if (answer.kind === "print") return "";
  assert.match(answer.stderr, /\n$/);
  return answer.stderr;
}
