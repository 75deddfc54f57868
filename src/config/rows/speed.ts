/**
 * Options about speed.
 *
 * @module
 */
import { optional, withDefault } from "../option.ts";
import {
  type EngineChoice,
  OFFLOAD_NAMES,
  type WorkersChoice,
} from "../../tunnel/settings.ts";
import { engine, offloads, workers } from "../speed.ts";

const FASTEST = "auto" as EngineChoice;
const FITTING = "auto" as WorkersChoice;

/** `--engine`, `--workers` and `--offload`. */
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
