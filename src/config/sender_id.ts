/**
 * Values of `-s`.
 *
 * @module
 */
import { parseDecimal } from "../net/decimal.ts";
import { BadValue } from "./option.ts";
import { U16_MAX } from "./values.ts";

/** Sender ids to take from: from the first to the last, 0 to 65535. */
export interface SenderIdRange {
  readonly first: number;
  readonly last: number;
}

/** All there are. */
export const ANY_SENDER_ID: SenderIdRange = { first: 0, last: U16_MAX };

/** The one that the originals have unless they are told another. */
export const DEFAULT_SENDER_ID: SenderIdRange = { first: 0, last: 0 };

/**
 * Reads one sender id, a range, or `auto`.
 *
 * @throws {BadValue} if it is none of these
 */
export function senderIds(text: string): SenderIdRange {
  if (text === "auto") return ANY_SENDER_ID;
  const [from = "", to = from, ...others] = text.split("-");
  const first = parseDecimal(from, 0, U16_MAX);
  const last = parseDecimal(to, 0, U16_MAX);
  const isRange = others.length === 0 && first !== undefined &&
    last !== undefined && first <= last;
  if (isRange) return { first, last };
  throw new BadValue(
    `a decimal number from 0 to ${U16_MAX}, a range of them such as 256-511, ` +
      "or auto",
  );
}
