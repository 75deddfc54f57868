/**
 * Every option of every program (CLI section 2), each in one row, in the
 * order of the help texts.
 *
 * @module
 */
import { MAX_WINDOW_SIZE } from "../satp/replay_window.ts";
import { place } from "./lists.ts";
import { flag, optional, type OptionValues } from "./option.ts";
import { clusterRows, syncTrustRows } from "./rows/cluster.ts";
import {
  muxRow,
  roleRow,
  routesRow,
  senderIdRow,
  windowSizeRow,
} from "./rows/connection.ts";
import { deviceRows } from "./rows/device.ts";
import { generalRows } from "./rows/general.ts";
import { algorithmRows, kdPrfRow, secretRows } from "./rows/keys.ts";
import { logFormatRow, logRow } from "./rows/logging.ts";
import {
  familyRows,
  fixedRemoteRow,
  localRows,
  remoteRows,
} from "./rows/network.ts";
import { speedRows } from "./rows/speed.ts";
import { daemonRows, debugRow } from "./rows/running.ts";
import { anyText, U16_MAX } from "./values.ts";

/** The options of the program `anytun`. */
export const anytunTable = {
  ...generalRows,
  ...daemonRows,
  log: logRow("syslog:3,anytun,daemon; in the foreground stderr:3"),
  logFormat: logFormatRow,
  debug: debugRow,
  ...localRows,
  ...remoteRows,
  fixedRemote: fixedRemoteRow,
  ...familyRows,
  ...deviceRows,
  senderIds: senderIdRow,
  mux: muxRow,
  windowSize: windowSizeRow(MAX_WINDOW_SIZE),
  role: roleRow,
  routes: routesRow,
  ...secretRows,
  kdPrf: kdPrfRow,
  ...algorithmRows,
  ...speedRows,
  ...clusterRows,
};

/** What the option table of `anytun` yields. */
export type AnytunValues = OptionValues<typeof anytunTable>;

/**
 * The options of the program `anytun-config`. The records that it writes have
 * 16 bits for the size of a replay window.
 */
export const configTable = {
  ...generalRows,
  log: logRow("stderr:2"),
  debug: debugRow,
  ...remoteRows,
  ...familyRows,
  mux: muxRow,
  windowSize: windowSizeRow(U16_MAX),
  role: roleRow,
  routes: routesRow,
  ...secretRows,
  kdPrf: kdPrfRow,
};

/** What the option table of `anytun-config` yields. */
export type ConfigValues = OptionValues<typeof configTable>;

/** The options of the program `anytun-controld`. */
export const controldTable = {
  ...generalRows,
  ...daemonRows,
  log: logRow("syslog:3,anytun-controld,daemon; in the foreground stderr:3"),
  logFormat: logFormatRow,
  debug: debugRow,
  file: optional({
    group: "Cluster",
    short: "-f",
    long: "--file",
    argument: "file",
    parse: anyText,
    help: "serve what this file holds: the output of anytun-config",
  }),
  controlHost: optional({
    group: "Cluster",
    short: "-X",
    long: "--control-host",
    argument: "host:port",
    parse: place,
    help: "local address and port (default 127.0.0.1:2323), or unix:<path>",
  }),
  ...syncTrustRows,
};

/** The options of the program `anytun-showtables`; the original has none. */
export const showtablesTable = {
  ...generalRows,
  connect: optional({
    group: "Cluster",
    short: "-X",
    long: "--connect",
    argument: "host:port",
    parse: place,
    help: "ask this server, or the one at unix:<path>, instead of reading " +
      "standard input",
  }),
  watch: flag({
    group: "Cluster",
    short: "-w",
    long: "--watch",
    help: "go on for as long as there is something to come",
  }),
  json: flag({
    group: "Cluster",
    short: "-j",
    long: "--json",
    help: "print a line of JSON for each record",
  }),
  ...syncTrustRows,
};

/** What the option table of `anytun-showtables` yields. */
export type ShowtablesValues = OptionValues<typeof showtablesTable>;

/** What the option table of `anytun-controld` yields. */
export type ControldValues = OptionValues<typeof controldTable>;
