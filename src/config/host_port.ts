// Places by name: hosts with a port, and unix sockets (CLI section 1).
import { parseDecimal, U16_MAX } from "../net/decimal.ts";
import {
  type HostPort,
  type PlaceName,
  UNIX_PREFIX,
  type UnixSocket,
} from "../net/place.ts";
import { BadValue } from "./option.ts";

const DEFAULT_PORT = "2323";

/** Bytes of the longest path of a unix socket (unix(7)). */
const UNIX_PATH_MAX = 107;

export function places(text: string): readonly PlaceName[] {
  return text.split(",").map(place);
}

/** Reads what {@linkcode hostPort} and {@linkcode unixSocket} read. */
export function place(text: string): PlaceName {
  return unixSocket(text) ?? hostPort(text);
}

/** The same to listen at: `:port` stands for all addresses. */
export function placeToListen(text: string): PlaceName {
  return place(
    text.startsWith(":") && !text.includes(":", 1) ? `[::]${text}` : text,
  );
}

/**
 * Reads `unix:<path>`. A number behind the colon makes it a host of this name.
 * @returns undefined if the text is about something else
 */
function unixSocket(text: string): UnixSocket | undefined {
  if (!text.startsWith(UNIX_PREFIX)) return undefined;
  const path = text.slice(UNIX_PREFIX.length);
  if (/^\d+$/.test(path)) return undefined;
  if (!isSocketPath(path)) {
    throw new BadValue(
      "the absolute path of a socket behind unix:, such as " +
        "unix:/run/anytun.sock (abstract names are not supported)",
      UNIX_PREFIX.length,
      text,
    );
  }
  if (isTooLong(path)) {
    throw new BadValue(
      `a path of at most ${UNIX_PATH_MAX} bytes behind unix:`,
      UNIX_PREFIX.length + UNIX_PATH_MAX,
      text,
    );
  }
  return { path };
}

/**
 * Reads the path of a socket that needs no prefix.
 * @param other What else would be right, such as `or off`
 */
export function socketPath(text: string, other: string): string {
  if (!isSocketPath(text)) {
    throw new BadValue(
      `the absolute path of a socket, such as /run/anytun/vpn.sock, ${other}`,
    );
  }
  if (!isTooLong(text)) return text;
  throw new BadValue(`a path of at most ${UNIX_PATH_MAX} bytes`, UNIX_PATH_MAX);
}

function isSocketPath(path: string): boolean {
  return path.startsWith("/") && !path.endsWith("/") && !path.includes("\0");
}

function isTooLong(path: string): boolean {
  return new TextEncoder().encode(path).length > UNIX_PATH_MAX;
}

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
 * @param usual The port where there is none
 */
export function hostPort(text: string, usual = DEFAULT_PORT): HostPort {
  const { host, port: digits } = parts(text, usual);
  const port = parseDecimal(digits, 1, U16_MAX);
  if (host === "" || port === undefined) {
    const expected = `a host, and a port from 1 to ${U16_MAX}`;
    throw new BadValue(expected, 0, text);
  }
  return { host, port };
}

interface Parts {
  readonly host: string;
  readonly port: string;
}

function parts(text: string, usual: string): Parts {
  const open = text.indexOf("[");
  if (open < 0) return partsWithoutBrackets(text, usual);
  if (open > 0) throw new BadValue("no text before a bracket", open, text);
  const close = text.indexOf("]");
  if (close < 0) {
    throw new BadValue("a bracket behind the address", text.length, text);
  }
  const rest = text.slice(close + 1);
  const host = text.slice(1, close);
  if (rest === "" && host !== "") return { host, port: usual };
  if (!/^:./s.test(rest)) {
    throw new BadValue(
      "an address in brackets and, if at all, a colon and a port behind them",
      close + 1,
      text,
    );
  }
  return { host, port: rest.slice(1) };
}

function partsWithoutBrackets(text: string, usual: string): Parts {
  const [host = "", port = "", ...others] = text.split(":");
  if (others.length > 0) return { host: text, port: usual };
  return { host, port: port || usual };
}
