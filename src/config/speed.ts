/**
 * Values of the options that concern speed.
 *
 * @module
 */
import { BadValue } from "./option.ts";

/** Engines by the names of `--engine`. */
export type EngineChoice =
  | "auto"
  | "ipsec-mb"
  | "openssl"
  | "builtin"
  | "webcrypto";

/** Values of `--workers`. */
export type WorkersChoice = "auto" | 1 | 2;

const ENGINES: readonly EngineChoice[] = [
  "auto",
  "ipsec-mb",
  "openssl",
  "builtin",
  "webcrypto",
];

/**
 * What the kernel can take off the data plane: the device hands over several
 * packets of TCP (tso) or UDP (uso) at once, datagrams are sent (gso) and
 * received (gro) several at once, packets are written to the device several at
 * once (coalesce).
 */
export const OFFLOAD_NAMES = ["tso", "uso", "gso", "gro", "coalesce"] as const;

/** One of the offloads. */
export type OffloadName = typeof OFFLOAD_NAMES[number];

/**
 * Reads the name of an engine.
 *
 * @throws {BadValue} if there is none of this name
 */
export function engine(text: string): EngineChoice {
  const name = ENGINES.find((name) => name === text);
  if (name === undefined) throw new BadValue(ENGINES.join(", "));
  return name;
}

/**
 * Reads a number of workers.
 *
 * @throws {BadValue} if it is not 1 or 2, and not `auto`
 */
export function workers(text: string): WorkersChoice {
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

/**
 * Reads a list of offloads.
 *
 * @throws {BadValue} if an element is none
 */
export function offloads(text: string): ReadonlySet<OffloadName> {
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
