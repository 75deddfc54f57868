// Completions for zsh.
import {
  allFlags,
  allPrograms,
  FLEET_ACTIONS,
  type Offer,
  OTHER_WORDS,
  type ProgramOffers,
  type Source,
} from "./model.ts";

const ACTIONS: Readonly<Record<Source, string>> = {
  file: "_files",
  folder: "_files -/",
  user: "_users",
  group: "_groups",
  host: "_hosts",
  interface: "_anytun_interfaces",
  tunnel: "_anytun_tunnels",
  running: "_anytun_running",
  action: `(${FLEET_ACTIONS})`,
};

export function zshScript(): string {
  const programs = allPrograms();
  const words = programs.flatMap(({ word }) => word ?? []);
  const described = [
    ...programs.flatMap(({ word, about }) =>
      word === undefined ? [] : [[word, about] as const]
    ),
    ...Object.entries(OTHER_WORDS),
  ].map(([word, about]) => `    ${quoted(`${word}:${about}`)}`);
  return `#compdef ${programs.map(({ name }) => name).join(" ")}
# Completions of anytun for zsh; made from its tables of options.

# Tunnels that have a file or folder of their own.
_anytun_tunnels() {
  local -a names
  names=(/etc/anytun/*.yaml(N:t:r) /etc/anytun/*/config(N:h:t))
  _alternative 'tunnels:tunnel:compadd -a names' 'files:file:_files'
}

# Daemons that can be asked.
_anytun_running() {
  compadd -- /run/anytun/*.sock(N:t:r)
}

_anytun_interfaces() {
  compadd -- /sys/class/net/*(N:t)
}

_anytun_words() {
  local -a words=(
${described.join("\n")}
  )
  _describe command words
}

_anytun() {
  local program=$service
  if [[ $PREFIX == (${allFlags(programs).join("|")})=* ]]; then
    compset -P '*='
    compadd true false
    return
  fi
  if [[ $program == anytun && CURRENT -gt 2 ]]; then
    case $words[2] in
      help) _values program ${words.join(" ")}; return ;;
      version) return ;;
      ${words.join("|")})
        program=anytun-$words[2]
        shift words
        (( CURRENT-- )) ;;
    esac
  fi
  case $program in
${programs.map(programCase).join("\n")}
  esac
}

_anytun "$@"
`;
}

function programCase({ name, word, offers, words }: ProgramOffers): string {
  const lines = offers.flatMap(specsOf).map((spec) => `        ${spec}`);
  const first = word === undefined
    ? ["        '1: :_anytun_words'"]
    : words === undefined
    ? []
    : [`        '*:tunnel:${ACTIONS[words]}'`];
  return [
    `    ${name})`,
    "      _arguments \\",
    `${[...lines, ...first].join(" \\\n")} ;;`,
  ].join("\n");
}

/** `_arguments` takes one of these for each name of an option. */
function specsOf(offer: Offer): string[] {
  const { names, repeated, about } = offer;
  const prefix = repeated
    ? "*"
    : names.length > 1
    ? `(${names.join(" ")})`
    : "";
  const value = valueOf(offer);
  return names.map((name) =>
    quoted(`${prefix}${name}[${escaped(about)}]${value}`)
  );
}

function valueOf({ argument, choices, source }: Offer): string {
  if (argument === undefined) return "";
  const label = escaped(argument);
  const list = `(${choices.map(escaped).join(" ")})`;
  if (source === undefined) {
    return `:${label}:${choices.length === 0 ? "" : list}`;
  }
  return `:${label}:${ACTIONS[source]}`;
}

function escaped(text: string): string {
  return text.replaceAll(/[:[\]\\]/g, "\\$&");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
