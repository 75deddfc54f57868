/**
 * Options of one connection (CLI section 2).
 *
 * @module
 */
import { routes } from "../lists.ts";
import { optional, repeated, type Single, withDefault } from "../option.ts";
import { senderIds } from "../sender_id.ts";
import { anyText, decimal, U16_MAX } from "../values.ts";

/** `-s`. */
export const senderIdRow = optional({
  group: "Connection",
  short: "-s",
  long: "--sender-id",
  argument: "ids",
  parse: senderIds,
  help: "tells apart servers that share one address, and one start from the " +
    "next: a number, a range such as 256-511 to take from at random, or auto " +
    "for any (default auto; with -S, -M or -X 0)",
});

/** `-m`. */
export const muxRow = withDefault({
  group: "Connection",
  short: "-m",
  long: "--mux",
  argument: "number",
  parse: decimal(0, U16_MAX),
  default: 0,
  help: "number of the connection, the same on both sides",
});

/**
 * `-w`.
 *
 * @param max The most sequence numbers that a replay window can span
 */
export function windowSizeRow(max: number): Single<number, number> {
  return withDefault({
    group: "Connection",
    short: "-w",
    long: "--window-size",
    argument: "number",
    parse: decimal(0, max),
    default: 0,
    help: "how late a packet may come without being taken for a replay; 0 " +
      "accepts replays",
  });
}

/** `-e`. */
export const roleRow = withDefault({
  group: "Connection",
  short: "-e",
  long: "--role",
  argument: "role",
  // Checked after all arguments were read, as in the original.
  parse: anyText,
  default: "left",
  help: "left (alice, server) or right (bob, client); the peer is the other",
});

/** `-R`; each value is a list of its own. */
export const routesRow = repeated({
  group: "Connection",
  short: "-R",
  long: "--route",
  argument: "net/length,...",
  parse: routes,
  help: "networks that lie behind the peer; may be given several times",
});
