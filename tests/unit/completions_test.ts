import { strict as assert } from "node:assert";
import { namesOf } from "../../src/config/option.ts";
import { TABLES } from "../../man/programs.ts";
import { writeCompletions } from "../../tasks/completions/main.ts";
import { testUnless } from "../../lab/test_unless.ts";
import { whyNoPrograms } from "../../lab/missing.ts";

/** Asks a shell what it offers at the end of each line. */
type Ask = (folder: string, lines: readonly string[]) => Promise<string[][]>;

async function output(command: string, args: readonly string[]) {
  const { stdout } = await new Deno.Command(command, {
    args: [...args],
    stdin: "null",
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout);
}

/** Shells print an empty line behind the answers to each line. */
function answersIn(text: string): string[][] {
  return text.split("\n\n").slice(0, -1)
    .map((part) => part.split("\n").filter((line) => line !== ""));
}

/** What readline does: words end at blanks, colons and equals signs. */
const BASH = `source "$1/anytun.bash"; shift
for line; do
  [[ $line == *" " ]] && tail=1 || tail=
  read -ra COMP_WORDS <<<"$(sed 's/[:=]/ & /g' <<<"$line")"
  [ -z "$tail" ] || COMP_WORDS+=("")
  COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
  _anytun
  printf '%s\\n' "\${COMPREPLY[@]}" ""
done`;

const FISH = `source $argv[1]/anytun.fish
for line in $argv[2..]
  complete -C $line | string replace -r '\\t.*' ''
  echo
end`;

/**
 * Presses Tab in a terminal, and notes what the shell adds to its list. Before
 * there is a prompt the terminal itself would take the keys.
 */
const ZSH = String.raw`zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PROMPT="pro""mpt> " LISTMAX=9999; fpath=('$1' $fpath); autoload -Uz compinit
compinit -D -u
zstyle ":completion:*" menu no
compadd() {
  if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
  local -a hits
  builtin compadd -A hits "$@"
  (( $#hits )) && print -l -- $hits >>'$1/hits'
  builtin compadd "$@"
}
echo rea""dy'
zpty -r shell text '*ready*prompt> '
for line in "\${@[2,-1]}"; do
  : >$1/hits
  zpty -n -w shell $line$'\t\x15echo do""ne\n'
  zpty -r shell text '*done*prompt> '
  cat $1/hits
  echo
done`.replaceAll("\\$", "$");

const SHELLS: Readonly<Record<string, Ask>> = {
  bash: async (folder, lines) =>
    answersIn(
      await output("bash", ["--norc", "-c", BASH, "bash", folder, ...lines]),
    ),
  fish: async (folder, lines) =>
    answersIn(
      await output("fish", ["--no-config", "-c", FISH, folder, ...lines]),
    ),
  zsh: async (folder, lines) =>
    answersIn(
      await output("zsh", ["-f", "-c", ZSH, "zsh", folder, ...lines]),
    ),
};

async function reasonAgainst(shell: string): Promise<string | null> {
  const withoutPrograms = whyNoPrograms();
  if (withoutPrograms !== null) return withoutPrograms;
  try {
    await output(shell, ["-c", "true"]);
    return null;
  } catch {
    return `${shell} is missing`;
  }
}

const WORDS = [
  ...["check", "config", "controld", "drain", "fleet", "genkey", "health"],
  "help",
  ...["show-config", "showtables", "status", "undrain", "version"],
  "withdraw",
];

for (const [shell, ask] of Object.entries(SHELLS)) {
  testUnless(
    [await reasonAgainst(shell)],
    `${shell} completes programs, options and values`,
    async () => {
      const folder = Deno.makeTempDirSync();
      try {
        for (const path of writeCompletions(folder)) {
          const text = Deno.readTextFileSync(path);
          const moved = text.replaceAll(/\/(run|etc)\/anytun/g, folder);
          Deno.writeTextFileSync(path, moved);
        }
        Deno.writeTextFileSync(`${folder}/key`, "");
        Deno.writeTextFileSync(`${folder}/paris.yaml`, "");
        Deno.mkdirSync(`${folder}/vienna`);
        Deno.writeTextFileSync(`${folder}/vienna/config`, "");
        using _daemon = Deno.listen({
          transport: "unix",
          path: `${folder}/rome.sock`,
        });
        // This one replaces the whole word.
        const before = shell === "fish" ? "--no-roaming=" : "";
        const cases = [
          ["anytun ", WORDS],
          ["anytun con", ["config", "controld"]],
          ["anytun --ciph", ["--cipher"]],
          ["anytun config --ro", ["--role", "--route"]],
          ["anytun-config --ro", ["--role", "--route"]],
          ["anytun genkey --cha", ["--chain", "--chain-file"]],
          ["anytun -c aes-ctr-1", ["aes-ctr-128", "aes-ctr-192"]],
          ["anytun -D --cipher n", ["null"]],
          ["anytun controld --log-format ", ["json", "text"]],
          ["anytun status r", ["rome"]],
          ["anytun-status r", ["rome"]],
          ["anytun fleet re", ["remove"]],
          ["anytun-fleet rotate --chain-f", ["--chain-file"]],
          ["anytun check vien", ["vienna"]],
          ["anytun show-config par", ["paris"]],
          ["anytun --config par", ["paris"]],
          ["anytun controld --config vien", ["vienna"]],
          ["anytun -u roo", ["root"]],
          ["anytun -d l", ["lo"]],
          ["anytun --no-roaming=f", [`${before}false`]],
          ["anytun -D --no-roaming=", [`${before}false`, `${before}true`]],
        ] as const;
        const extra = [`anytun --key-file ${folder}/k`, "anytun --"];
        const found = await ask(folder, [
          ...cases.map(([line]) => line),
          ...extra,
        ]);
        for (const [at, [line, expected]] of cases.entries()) {
          const offered = (found[at] ?? [])
            .filter((word) => line !== "anytun " || !word.startsWith("-"));
          for (const word of expected) assert.ok(offered.includes(word), line);
          if (line.includes("roo") || line.endsWith(" l")) continue;
          assert.deepEqual(offered.toSorted(), [...expected], line);
        }
        const [files = [], options = []] = found.slice(cases.length);
        assert.ok(files.some((file) => /(^|\/)key$/.test(file)), `${files}`);
        const longs = Object.values(TABLES.anytun).map(({ long }) => long);
        assert.deepEqual(options.toSorted(), longs.toSorted());
      } finally {
        Deno.removeSync(folder, { recursive: true });
      }
    },
  );
}

Deno.test("every value that is offered for an option is one that it takes", () => {
  for (const table of Object.values(TABLES)) {
    for (const option of Object.values(table)) {
      if (!("choices" in option)) continue;
      for (const choice of option.choices ?? []) {
        assert.doesNotThrow(
          () => option.parse(choice),
          `${namesOf(option)} ${choice}`,
        );
      }
    }
  }
});
