// Completions for fish.
import {
  allFlags,
  allPrograms,
  FLEET_ACTIONS,
  type Offer,
  OTHER_WORDS,
  type ProgramOffers,
  type Source,
} from "./model.ts";

const COMMANDS: Readonly<Record<Exclude<Source, "file">, string>> = {
  folder: "(__fish_complete_directories)",
  user: "(__fish_complete_users)",
  group: "(__fish_complete_groups)",
  host: "(__fish_print_hostnames)",
  interface: "(__fish_print_interfaces)",
  tunnel: "(__anytun_tunnels)",
  running: "(__anytun_running)",
  action: FLEET_ACTIONS,
};

export function fishScript(): string {
  const programs = allPrograms();
  const words = programs.flatMap(({ word }) => word ?? []);
  const all = [...words, ...Object.keys(OTHER_WORDS)].join(" ");
  const none = quoted(`not __fish_seen_subcommand_from ${all}`);
  const first = [
    ...programs.flatMap(({ word, about }) =>
      word === undefined ? [] : [[word, about] as const]
    ),
    ...Object.entries(OTHER_WORDS),
  ].map(([word, about]) =>
    `complete -c anytun -n __fish_use_subcommand -a ${word} -d ${quoted(about)}`
  );
  const lines = programs.flatMap((program) =>
    program.word === undefined ? linesOf(program, "anytun", none) : [
      ...linesOf(program, program.name, undefined),
      ...linesOf(
        program,
        "anytun",
        quoted(`__fish_seen_subcommand_from ${program.word}`),
      ),
    ]
  );
  return `# Completions of anytun for fish; made from its tables of options.

# Tunnels that have a file or folder of their own.
function __anytun_tunnels
    for path in /etc/anytun/*.yaml
        string replace -r '.*/(.*)\\.yaml$' '$1' $path
    end
    for path in /etc/anytun/*/config
        string replace -r '.*/(.*)/config$' '$1' $path
    end
end

# Daemons that can be asked.
function __anytun_running
    for path in /run/anytun/*.sock
        string replace -r '.*/(.*)\\.sock$' '$1' $path
    end
end

# A flag with what may stand behind it, such as --name=false.
function __anytun_said
    set -l name (string replace -rf '^(--[^=]*)=.*' '$1' -- (commandline -ct))
    contains -- $name ${allFlags(programs).join(" ")}
    and printf '%s\\n' $name=true $name=false
end

${programs.map(({ name }) => `complete -c ${name} -f`).join("\n")}
${
    programs.map(({ name }) => `complete -c ${name} -a '(__anytun_said)'`)
      .join("\n")
  }
${first.join("\n")}
complete -c anytun -n '__fish_seen_subcommand_from help' -a ${
    quoted(words.join(" "))
  }
${lines.join("\n")}
`;
}

function linesOf(
  { offers, words }: ProgramOffers,
  command: string,
  condition: string | undefined,
): string[] {
  const start = condition === undefined
    ? `complete -c ${command}`
    : `complete -c ${command} -n ${condition}`;
  const lines = offers.map((offer) => `${start} ${optionOf(offer)}`);
  if (words === undefined || words === "file") return lines;
  const files = words === "tunnel" ? " -F" : "";
  return [...lines, `${start}${files} -a ${quoted(COMMANDS[words])}`];
}

function optionOf({ names, about, argument, choices, source }: Offer): string {
  const parts = names.map((name) =>
    name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`
  );
  if (argument !== undefined) {
    const takesFile = source === "file" || source === "tunnel";
    parts.push(takesFile ? "-rF" : "-x");
    const values = [
      ...source === undefined || source === "file" ? [] : [COMMANDS[source]],
      ...choices,
    ];
    if (values.length > 0) parts.push(`-a ${quoted(values.join(" "))}`);
  }
  return [...parts, `-d ${quoted(about)}`].join(" ");
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
