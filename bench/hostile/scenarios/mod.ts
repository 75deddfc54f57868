/**
 * Everything that is to be stood, in the order of the tables.
 *
 * @module
 */

import type { Scenario } from "../scenario.ts";
import { faults } from "./faults.ts";
import { floods } from "./floods.ts";
import { harm } from "./harm.ts";
import { host } from "./host.ts";
import { log } from "./log.ts";
import { pathMtu } from "./path_mtu.ts";
import { restart } from "./restart.ts";
import { roaming } from "./roaming.ts";
import { senders } from "./senders.ts";
import { sync } from "./sync.ts";

/** The scenarios that run. */
export const SCENARIOS: readonly Scenario[] = [
  floods,
  roaming,
  senders,
  restart,
  harm,
  pathMtu,
  faults,
  host,
  log,
  sync,
];
