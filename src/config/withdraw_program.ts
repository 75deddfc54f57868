// The options of `anytun withdraw`; the original has none.
import { announceOf, type AnnounceOptions } from "./announce.ts";
import { type AnytunOptions, anytunProgram } from "./anytun.ts";
import { splitWords } from "./arguments.ts";
import { type CommandLine, readCommandLine } from "./command_line.ts";
import { OptionFault } from "./fault.ts";
import { generalRows, toolExitSection } from "./general.ts";
import type { HelpSection } from "./help.ts";
import type { HostFiles } from "./host_files.ts";
import type { Runtime } from "./version.ts";

export const withdrawTable = generalRows;

const sections: readonly HelpSection[] = [
  {
    title: "Name, in front of the options",
    lines: [
      "vpn         what --config vpn of the daemon stands for",
      "./vpn.yaml  this file",
    ],
  },
  toolExitSection,
];

interface WithdrawOptions extends Pick<AnytunOptions, "name"> {
  readonly announce: AnnounceOptions | undefined;
}

/**
 * Touches nothing outside but the config file: whatever else is wrong with it
 * keeps nobody from taking an address away.
 */
export function readWithdrawCommandLine(
  argv: readonly string[],
  runtime: Runtime,
  files: HostFiles,
): CommandLine<WithdrawOptions> {
  const [names, options] = splitWords(argv);
  const own = readCommandLine(
    {
      name: "anytun-withdraw",
      table: withdrawTable,
      sections,
      words: "<name>",
      settle: () => oneConfig(names),
    },
    options,
    runtime,
  );
  if (own.kind !== "run") return own;
  return readCommandLine(
    {
      ...anytunProgram(runtime, files),
      name: "anytun-withdraw",
      settle: (settings, _, { source: { name } }): WithdrawOptions => {
        return { name, announce: announceOf(settings, () => {}) };
      },
    },
    ["--config", own.options],
    runtime,
    { files },
  );
}

function oneConfig([name, ...others]: readonly string[]): string {
  if (name !== undefined && others.length === 0) return name;
  throw new OptionFault(
    name === undefined
      ? "Cannot withdraw anything without a name: that of the daemon's config " +
        "file, such as vpn"
      : `Cannot take '${others[0]}': one config at a time, and that is ` +
        `'${name}'`,
  );
}
