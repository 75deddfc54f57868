/**
 * Option values that are lists, split at commas (CLI section 1).
 *
 * @module
 */
import { parsePrefix, type Prefix } from "../net/prefix.ts";
import { BadValue } from "./option.ts";

/** A host to connect to over TCP. */
export interface HostPort {
  /** An address or a name; may be empty, which no lookup finds. */
  readonly host: string;
  /** A number or the name of a service. */
  readonly port: string;
}

const DEFAULT_PORT = "2323";

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
 * Reads hosts separated by commas.
 *
 * @throws {BadValue} that shows the first element that is none
 */
export function hosts(text: string): readonly HostPort[] {
  return text.split(",").map(hostPort);
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
