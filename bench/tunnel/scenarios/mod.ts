/**
 * All scenarios, in the order in which they run on a tunnel: the quiet ones
 * before the load, memory when all load is over.
 *
 * @module
 */

import type { Scenario } from "../scenario.ts";
import { ceilings } from "./ceilings.ts";
import { cores } from "./cores.ts";
import { firstPings } from "./first_pings.ts";
import { flows } from "./flows.ts";
import { idlePing } from "./idle_ping.ts";
import { ipv6 } from "./ipv6.ts";
import { loadedPing } from "./loaded_ping.ts";
import { memory } from "./memory.ts";
import { apart, together } from "./placement.ts";
import { scale } from "./scale.ts";
import { start } from "./start.ts";
import { tcp } from "./tcp.ts";
import { udp } from "./udp.ts";
import { unsegmented } from "./unsegmented.ts";

/** The scenarios that run. */
export const SCENARIOS: readonly Scenario[] = [
  start,
  firstPings,
  idlePing,
  tcp,
  unsegmented,
  flows,
  ipv6,
  udp,
  loadedPing,
  memory,
  scale,
  together,
  apart,
  ceilings,
  ...cores,
];
