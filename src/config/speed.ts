// Options about speed.
import {
  type EngineChoice,
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
    default: FITTING,
    help: "threads that carry packets: 1, 2, or auto for 2 where there are " +
      "more than two processors",
  }),
  offloads: optional({
    group: "Speed",
    long: "--offload",
    argument: "list",
    parse: offloads,
    help: "what the kernel may do for us, of " +
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
  switch (text) {
    case "1":
      return 1;
    case "2":
      return 2;
    case "auto":
      return "auto";
  }
  throw new BadValue("auto, 1 or 2");
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
