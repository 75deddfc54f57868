/**
 * Options about speed.
 *
 * @module
 */
import { optional, withDefault } from "../option.ts";
import {
  engine,
  type EngineChoice,
  OFFLOAD_NAMES,
  offloads,
  workers,
} from "../speed.ts";

const AUTO = "auto" as EngineChoice;
const TWO_WORKERS = 2 as 1 | 2;

/** `--engine`, `--workers` and `--offload`. */
export const speedRows = {
  engine: withDefault({
    group: "Speed",
    long: "--engine",
    argument: "name",
    parse: engine,
    default: AUTO,
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
    default: TWO_WORKERS,
    help: "threads that carry packets: 2, or 1 to save memory",
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
