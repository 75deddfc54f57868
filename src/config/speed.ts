// Options about speed.
import { parseDecimal } from "../net/decimal.ts";
import {
  type EngineChoice,
  MAX_WORKERS,
  OFFLOAD_NAMES,
  type OffloadName,
  type WorkersChoice,
} from "../tunnel/settings.ts";
import { BadValue, optional, withDefault } from "./option.ts";
import type { OptionValues, Settings } from "./values.ts";

const ENGINES: readonly EngineChoice[] = [
  "auto",
  "ipsec-mb",
  "openssl",
  "builtin",
  "webcrypto",
];

const FASTEST = "auto" as EngineChoice;
const FITTING = "auto" as WorkersChoice;

export const speedRows = {
  engine: withDefault({
    group: "Speed",
    long: "--engine",
    argument: "name",
    parse: engine,
    choices: ENGINES,
    default: FASTEST,
    help:
      "cryptography: ipsec-mb (libIPSec_MB beside libcrypto), openssl (the " +
      "system's libcrypto alone), builtin, webcrypto (with the portable data " +
      "plane), or auto for the fastest there is",
  }),
  workers: withDefault({
    group: "Speed",
    long: "--workers",
    argument: "number",
    parse: workers,
    choices: ["auto"],
    default: FITTING,
    help: `threads that carry packets, 1 to ${MAX_WORKERS}: one connection ` +
      "uses up to 2, several (-M or -X) share them; or auto for 1 where there " +
      "are no more than two processors, else 2, or with several connections " +
      "as many as processors, up to 8",
  }),
  offloads: optional({
    group: "Speed",
    long: "--offload",
    argument: "list",
    parse: offloads,
    choices: ["all", "none", ...OFFLOAD_NAMES],
    help: "what the kernel may take over, of " +
      `${OFFLOAD_NAMES.join(", ")}, separated by commas; all or none ` +
      "(default all)",
  }),
};

type SpeedValues = OptionValues<typeof speedRows>;

/** What carries packets, and how. */
export type SpeedOptions = {
  readonly [Name in keyof SpeedValues]: NonNullable<SpeedValues[Name]>;
};

/** All offloads unless some are chosen. */
export function speedOf(
  { values: { engine, workers, offloads } }: Settings<typeof speedRows>,
): SpeedOptions {
  return { engine, workers, offloads: offloads ?? new Set(OFFLOAD_NAMES) };
}

function engine(text: string): EngineChoice {
  const name = ENGINES.find((name) => name === text);
  if (name === undefined) throw new BadValue(ENGINES.join(", "));
  return name;
}

function workers(text: string): WorkersChoice {
  const number = text === "auto" ? text : parseDecimal(text, 1, MAX_WORKERS);
  if (number !== undefined) return number;
  throw new BadValue(`auto, or a number from 1 to ${MAX_WORKERS}`);
}

function offloads(text: string): ReadonlySet<OffloadName> {
  if (text === "none") return new Set();
  if (text === "all") return new Set(OFFLOAD_NAMES);
  const names = text.split(",").map((element) => {
    const name = OFFLOAD_NAMES.find((name) => name === element);
    if (name === undefined) {
      throw new BadValue(`all, none, or some of ${OFFLOAD_NAMES.join(",")}`);
    }
    return name;
  });
  return new Set(names);
}
