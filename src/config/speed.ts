/**
 * Values of the options that concern speed.
 *
 * @module
 */
import {
  type EngineChoice,
  OFFLOAD_NAMES,
  type OffloadName,
  type WorkersChoice,
} from "../tunnel/settings.ts";
import { BadValue } from "./option.ts";

const ENGINES: readonly EngineChoice[] = [
  "auto",
  "ipsec-mb",
  "openssl",
  "builtin",
  "webcrypto",
];

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
