// Completions for bash, without a library.
import {
  allFlags,
  allPrograms,
  FLEET_ACTIONS,
  type Offer,
  OTHER_WORDS,
  type ProgramOffers,
  type Source,
} from "./model.ts";

const COMMANDS: Readonly<Record<Source, string>> = {
  file: "compopt -o filenames; _anytun_add -f",
  folder: "compopt -o filenames; _anytun_add -d",
  user: "_anytun_add -u",
  group: "_anytun_add -g",
  host: "_anytun_add -A hostname",
  interface: "_anytun_among < <(command ls /sys/class/net 2>/dev/null)",
  tunnel:
    "compopt -o filenames; _anytun_add -f; _anytun_among < <(_anytun_tunnels)",
  running: "_anytun_among < <(_anytun_running)",
  action: `_anytun_add -W "${FLEET_ACTIONS}"`,
};

export function bashScript(): string {
  const programs = allPrograms();
  const words = [
    ...programs.flatMap(({ word }) => word === undefined ? [] : [word]),
    ...Object.keys(OTHER_WORDS),
  ];
  return `# Completions of anytun for bash; made from its tables of options.

_anytun_add() {
  local word
  while IFS= read -r word; do
    COMPREPLY+=("$word")
  done < <(compgen "$@" -- "$cur")
}

# Words of standard input; compgen -W would expand what is in them.
_anytun_among() {
  local word
  while IFS= read -r word; do
    [[ $word != "$cur"* ]] || COMPREPLY+=("$word")
  done
}

# Tunnels that have a file or folder of their own.
_anytun_tunnels() {
  local path
  for path in /etc/anytun/*.yaml; do
    [ -f "$path" ] && path=\${path##*/} && echo "\${path%.yaml}"
  done
  for path in /etc/anytun/*/config; do
    [ -f "$path" ] && path=\${path%/config} && echo "\${path##*/}"
  done
}

# Daemons that can be asked.
_anytun_running() {
  local path
  for path in /run/anytun/*.sock; do
    [ -S "$path" ] && path=\${path##*/} && echo "\${path%.sock}"
  done
}

_anytun() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  local program=\${COMP_WORDS[0]##*/} first=1 words
  # Bash takes an equals sign for a word.
  local name=
  if [ "$cur" = = ]; then
    name=$prev cur=
  elif [ "$prev" = = ] && [ "$COMP_CWORD" -gt 2 ]; then
    name=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  COMPREPLY=()
  case $name in
    ${allFlags(programs).join("|")})
      _anytun_add -W "true false"
      return ;;
  esac
  # Bash takes a colon for the end of a word: put the value together again.
  local before=
  if [ "$prev" = : ] && [ "$COMP_CWORD" -gt 2 ]; then
    before=\${COMP_WORDS[COMP_CWORD-2]}:
    prev=\${COMP_WORDS[COMP_CWORD-3]}
  elif [ "$cur" = : ]; then
    before=$prev:
    cur=
    prev=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  cur=$before$cur
  if [ "$program" = anytun ] && [ "$COMP_CWORD" -gt 1 ]; then
    case \${COMP_WORDS[1]} in
${
    programs.filter(({ word }) => word !== undefined).map(({ word, name }) =>
      `      ${word}) program=${name} ;;`
    ).join("\n")
  }
      help)
        [ "$COMP_CWORD" -eq 2 ] && _anytun_add -W "${
    programs.flatMap(({ word }) => word ?? []).join(" ")
  }"
        return ;;
      version) return ;;
    esac
  fi
  case "$program $prev" in
${programs.flatMap(valueCases).join("\n")}
    *)
      case $program in
${programs.map(nameCase).join("\n")}
      esac
      if [ "$program" = anytun ] && [ "$COMP_CWORD" -eq 1 ]; then
        words="${words.join(" ")} $words"
      fi
      _anytun_add -W "$words" ;;
  esac
  [ -z "$before" ] || COMPREPLY=("\${COMPREPLY[@]#"$before"}")
}

complete -F _anytun ${programs.map(({ name }) => name).join(" ")}
`;
}

/** What stands behind the options that have a value. */
function valueCases({ name, offers }: ProgramOffers): string[] {
  return offers.filter(({ argument }) => argument !== undefined)
    .map((offer) => {
      const patterns = offer.names.map((option) => `"${name} ${option}"`);
      return `    ${patterns.join(" | ")}) ${commandsOf(offer)} ;;`;
    });
}

function commandsOf({ choices, source }: Offer): string {
  const commands = [
    ...source === undefined ? [] : [COMMANDS[source]],
    ...choices.length === 0 ? [] : [`_anytun_add -W "${choices.join(" ")}"`],
  ];
  return commands.length === 0 ? "return" : commands.join("; ");
}

function nameCase({ name, offers, words: source }: ProgramOffers): string {
  const names = offers.flatMap(({ names }) => names).join(" ");
  const more = source === undefined ? "" : `; ${COMMANDS[source]}`;
  return `        ${name}) words="${names}"${more} ;;`;
}
