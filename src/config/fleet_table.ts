// Table of the options of `anytun fleet`, and its help.
import { U16_MAX } from "../net/decimal.ts";
import { MAX_INTERVAL, MIN_INTERVAL } from "../satp/key_chain.ts";
import { clientRows } from "./client_options.ts";
import { configFileRows } from "./config_place.ts";
import { muxRow, windowSizeRow } from "./connection.ts";
import { devicePrefix } from "./device.ts";
import { duration } from "./duration.ts";
import { generalRows, toolExitSection } from "./general.ts";
import type { HelpSection } from "./help.ts";
import { hostPort } from "./host_port.ts";
import { TUNNEL_PORT } from "./network.ts";
import { anyText, flag, optional } from "./option.ts";
import { sourceRows } from "./source.ts";
import type { Settings } from "./values.ts";

/** Late packets of a fast link fit into it; the client has sender ids of its own. */
const WINDOW_SIZE = 1024;

const { default: _, ...anyMuxRow } = muxRow;

/** Every option, in the order of the help text. */
export const fleetTable = {
  ...generalRows,
  ...configFileRows,
  json: flag({
    group: "General",
    short: "-j",
    long: "--json",
    help: "with list: print a line of JSON for each client",
  }),
  out: optional({
    group: "General",
    long: "--out",
    argument: "file",
    parse: anyText,
    standardInput: true,
    help:
      "with add and rotate: write the config of the client, keys included, " +
      "to this new file, which its owner alone may read; - prints it",
  }),
  ...sourceRows,
  server: optional({
    group: "Network",
    long: "--server",
    argument: "host:port",
    parse: (text) => hostPort(text, String(TUNNEL_PORT)),
    help: "with add: where the client reaches its servers, for its config " +
      `(default port ${TUNNEL_PORT})`,
  }),
  address: optional({
    group: "Device",
    long: "--address",
    argument: "address/length",
    parse: devicePrefix,
    help:
      "with add: the address of the client in the tunnel, for its config, " +
      "and a route to it",
  }),
  ...clientRows,
  mux: optional({
    ...anyMuxRow,
    help: "number of the connection (default: the lowest one that is free)",
  }),
  windowSize: { ...windowSizeRow(U16_MAX), default: WINDOW_SIZE },
  chain: flag({
    group: "Keys and algorithms",
    long: "--chain",
    help: "make a key chain, whose keys change with time, in place of a key " +
      "and a salt; with --chain-file",
  }),
  interval: optional({
    group: "Keys and algorithms",
    long: "--interval",
    argument: "duration",
    parse: duration(MIN_INTERVAL, MAX_INTERVAL),
    help: "with --chain: how long each key of it is used, from 60 (seconds) " +
      "to 30d (default 1h)",
  }),
  chainFile: optional({
    group: "Keys and algorithms",
    long: "--chain-file",
    argument: "file",
    parse: anyText,
    help:
      "with --chain: write it to this new file, for the client, which its " +
      "owner alone may read",
  }),
};

export type FleetSettings = Settings<typeof fleetTable>;

export const fleetSections: readonly HelpSection[] = [
  {
    title: "In front of the options",
    lines: [
      "add <name>       make a client, its key, and a config for its side",
      "remove <name>    remove it: no server takes it any more",
      "list             show all clients, and none of their keys",
      "rotate <name>    give it new keys; with a chain, forget the old ones",
    ],
  },
  {
    title: "Example, with /etc/anytun/operator.yaml that names the source",
    lines: [
      "anytun fleet add branch --config operator --address 10.99.0.5/24 \\",
      "  --server vpn.example.net --out branch.yaml",
    ],
  },
  toolExitSection,
];
