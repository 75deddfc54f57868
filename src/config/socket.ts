// Options about the sockets between the peers: which way their datagrams take.
import { U32_MAX } from "../net/decimal.ts";
import type { SocketChoices } from "../tunnel/settings.ts";
import { BadValue, optional } from "./option.ts";
import type { Settings } from "./values.ts";

export const socketRows = {
  mark: optional({
    group: "Network",
    long: "--mark",
    argument: "number",
    parse: mark,
    help: "mark the datagrams to the peer for the kernel's routing rules and " +
      "firewall, decimal or hexadecimal (0x…); 0 for none",
  }),
  bindDevice: optional({
    group: "Network",
    long: "--bind-device",
    argument: "name",
    parse: deviceName,
    help: "exchange datagrams with the peer over this network device alone, " +
      "such as eth0 or a VRF",
  }),
};

/** IFNAMSIZ of the kernel, without the zero byte at the end. */
const MAX_NAME_BYTES = 15;

export function socketsOf(
  { values: { mark, bindDevice } }: Settings<typeof socketRows>,
): SocketChoices {
  return { mark: mark ?? 0, device: bindDevice };
}

function mark(text: string): number {
  const isNumber = /^(0x[\da-f]{1,8}|\d{1,10})$/i.test(text);
  const value = isNumber ? Number(text) : NaN;
  if (value <= U32_MAX) return value;
  throw new BadValue(
    `a number from 0 to ${U32_MAX}, or from 0x0 to 0xffffffff`,
  );
}

/** What the kernel takes for a name (dev_valid_name()). */
export function deviceName(text: string): string {
  const isName = /^[!-~]+$/.test(text) && !/[/:]/.test(text) &&
    text.length <= MAX_NAME_BYTES && text !== "." && text !== "..";
  if (isName) return text;
  throw new BadValue(
    `the name of a network device, of at most ${MAX_NAME_BYTES} characters`,
  );
}
