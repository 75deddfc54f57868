// Options about when a daemon is fit to have traffic.
import { isOnThisHost, type PlaceName } from "../net/place.ts";
import { DAY, duration } from "./duration.ts";
import { decimal, optional, type OptionTable, withDefault } from "./option.ts";
import { pick, type Settings } from "./values.ts";

/** An hour of looks. */
const MAX_LOOKS = 3600;
const MAX_LINKS = 1000;

export const healthRows = {
  healthRise: withDefault({
    group: "Running",
    long: "--health-rise",
    argument: "number",
    parse: decimal(1, MAX_LOOKS),
    default: 3,
    help: "how often in a row, once a second, all has to be well before this " +
      "daemon is fit",
  }),
  healthFall: withDefault({
    group: "Running",
    long: "--health-fall",
    argument: "number",
    parse: decimal(1, MAX_LOOKS),
    default: 3,
    help: "how often in a row something has to be wrong before it is unfit; " +
      "what is certain, such as a device that is down, acts at once",
  }),
  healthHold: withDefault({
    group: "Running",
    long: "--health-hold",
    argument: "duration",
    parse: duration(0, DAY),
    default: 10,
    help: "for how long all has to be well before a daemon that was unfit is " +
      "fit again",
  }),
  healthSyncAge: withDefault({
    group: "Cluster",
    long: "--health-sync-age",
    argument: "duration",
    parse: duration(1, DAY),
    default: 10,
    help: "how long other members may be out of reach before this one is " +
      "not in step with them",
  }),
  healthSyncLinks: optional({
    group: "Cluster",
    long: "--health-sync-links",
    argument: "number",
    parse: decimal(0, MAX_LINKS),
    help: "how many of the other hosts that it follows have to be in reach " +
      "for this member to be fit (default 1 of several, and 0 of one)",
  }),
} satisfies OptionTable;

export interface HealthOptions {
  readonly healthRise: number;
  readonly healthFall: number;
  /** Seconds. */
  readonly healthHold: number;
  /** Seconds. */
  readonly healthSyncAge: number;
  readonly healthSyncLinks: number | undefined;
}

/** @param servers That it follows */
export function healthOf(
  { values, names, origins }: Settings<typeof healthRows>,
  servers: readonly PlaceName[],
  warn: (text: string) => void,
): HealthOptions {
  const isMember = servers.length > 0;
  const hosts = servers.filter((server) => !isOnThisHost(server)).length;
  const { healthSyncLinks: links = 0 } = values;
  if (isMember && links > hosts) {
    warn(
      `${names.healthSyncLinks} ${links} counts as ${hosts}: it follows no ` +
        "more other hosts",
    );
  }
  for (const key of ["healthSyncAge", "healthSyncLinks"] as const) {
    if (isMember || origins[key].kind === "default") continue;
    warn(
      `${names[key]} has no effect without --sync-hosts (-M) or ` +
        "--control-host (-X)",
    );
  }
  return pick(values, healthRows);
}
