/**
 * Option values that are lists, split at commas (CLI section 1).
 *
 * @module
 */
import { parseDecimal } from "../net/decimal.ts";
import { UNIX_PREFIX, type UnixSocket } from "../net/place.ts";
import { parsePrefix, type Prefix } from "../net/prefix.ts";
import { BadValue } from "./option.ts";
import { U16_MAX } from "./values.ts";

/** A host to connect to over TCP. */
export interface HostPort {
  /** An address or a name; may be empty, which no lookup finds. */
  readonly host: string;
  /** A number or the name of a service. */
  readonly port: string;
}

const DEFAULT_PORT = "2323";

/** Bytes of the longest path of a unix socket (unix(7)). */
const UNIX_PATH_MAX = 107;

/**
 * Reads networks separated by commas.
 *
 * @throws {BadValue} that shows the first element that is none
 */
export function routes(text: string): readonly Prefix[] {
  return text.split(",").map((element) => {
    const expected = "networks and prefix lengths, such as 10.0.0.0/8";
    if (!element.includes("/")) {
      throw new BadValue(expected, element.length, element);
    }
    const prefix = parsePrefix(element);
    if (prefix === undefined) throw new BadValue(expected, 0, element);
    return prefix;
  });
}

/**
 * Reads hosts and unix sockets separated by commas.
 *
 * @throws {BadValue} that shows the first element that is none
 */
export function places(text: string): readonly (HostPort | UnixSocket)[] {
  return text.split(",").map(place);
}

/**
 * Reads what {@linkcode hostPort} and {@linkcode unixSocket} read.
 *
 * @throws {BadValue} if it is neither
 */
export function place(text: string): HostPort | UnixSocket {
  return unixSocket(text) ?? hostPort(text);
}

/**
 * Reads `unix:<path>`. A number behind the colon makes it a host of this name.
 *
 * @returns undefined if the text is about something else
 * @throws {BadValue} if it is no absolute path, or too long
 */
function unixSocket(text: string): UnixSocket | undefined {
  if (!text.startsWith(UNIX_PREFIX)) return undefined;
  const path = text.slice(UNIX_PREFIX.length);
  if (/^\d+$/.test(path)) return undefined;
  if (!path.startsWith("/") || path.endsWith("/") || path.includes("\0")) {
    throw new BadValue(
      "the absolute path of a socket behind unix:, such as " +
        "unix:/run/anytun.sock (abstract names are not supported)",
      UNIX_PREFIX.length,
      text,
    );
  }
  if (new TextEncoder().encode(path).length > UNIX_PATH_MAX) {
    throw new BadValue(
      `a path of at most ${UNIX_PATH_MAX} bytes behind unix:`,
      UNIX_PREFIX.length + UNIX_PATH_MAX,
      text,
    );
  }
  return { path };
}

/**
 * Reads where to listen: a port, or `unix:<path>`.
 *
 * @throws {BadValue} if it is neither
 */
export function portOrSocket(text: string): number | UnixSocket {
  const socket = unixSocket(text);
  if (socket !== undefined) return socket;
  const port = parseDecimal(text, 1, U16_MAX);
  if (port !== undefined) return port;
  throw new BadValue(
    `a decimal number from 1 to ${U16_MAX}, or unix: and a path`,
  );
}

/**
 * Reads `host`, `host:port`, `[v6]` or `[v6]:port`. Two colons and no brackets
 * are an IPv6 address without a port.
 *
 * @throws {BadValue} with the offsets of the original for its syntax errors
 */
export function hostPort(text: string): HostPort {
  const open = text.indexOf("[");
  if (open < 0) return withoutBrackets(text);
  if (open > 0) throw new BadValue("no text before a bracket", open, text);
  const close = text.indexOf("]");
  if (close < 0) {
    throw new BadValue("a bracket behind the address", text.length, text);
  }
  const rest = text.slice(close + 1);
  const host = text.slice(1, close);
  if (rest === "" && host !== "") return { host, port: DEFAULT_PORT };
  if (!/^:./s.test(rest)) {
    throw new BadValue(
      "an address in brackets and, if at all, a colon and a port behind them",
      close + 1,
      text,
    );
  }
  return { host, port: rest.slice(1) };
}

function withoutBrackets(text: string): HostPort {
  const [host = "", port = "", ...others] = text.split(":");
  if (others.length > 0) return { host: text, port: DEFAULT_PORT };
  return { host, port: port || DEFAULT_PORT };
}
