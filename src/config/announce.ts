// Options about an anycast address that comes and goes with the health of this
// member.
import { formatAddress, type IpAddress } from "../net/address.ts";
import { formatPrefix, parsePrefix, type Prefix } from "../net/prefix.ts";
import type { PathKind } from "./config_place.ts";
import type { deviceRows } from "./device.ts";
import { duration } from "./duration.ts";
import { OptionFault, type Warn } from "./fault.ts";
import {
  anyText,
  BadValue,
  optional,
  repeated,
  withDefault,
} from "./option.ts";
import { deviceName } from "./socket.ts";
import type { Settings } from "./values.ts";

/** An hour: whoever waits longer has forgotten it. */
const MAX_DRAIN_SECONDS = 3600;

export const announceRows = {
  anycastAddresses: repeated({
    group: "Cluster",
    long: "--anycast-address",
    argument: "address/length",
    parse: anycastAddress,
    help:
      "put this address on the --anycast-device while this member is fit, " +
      "for a routing daemon to announce; may be given several times",
  }),
  anycastDevice: optional({
    group: "Cluster",
    long: "--anycast-device",
    argument: "name",
    parse: deviceName,
    help: "the network device for --anycast-address; made for the time that " +
      "the daemon runs, unless it is there",
  }),
  announceScript: optional({
    group: "Cluster",
    long: "--announce-script",
    argument: "file",
    parse: anyText,
    help: "run this program with the word announce when this member becomes " +
      "fit, and with withdraw when it is not any more",
  }),
  drainTime: withDefault({
    group: "Cluster",
    long: "--drain-time",
    argument: "seconds",
    parse: duration(0, MAX_DRAIN_SECONDS),
    default: 10,
    help:
      "how long to carry what still comes, at the most, after the address " +
      "was withdrawn and before the end",
  }),
};

export interface AnnounceOptions {
  /** Each address once. */
  readonly addresses: readonly Prefix[];
  /** Given if there are addresses. */
  readonly device: string | undefined;
  readonly script: string | undefined;
}

/** @returns Why a script can announce nothing, or undefined */
export function announceScriptFault(
  path: string,
  kind: PathKind,
): string | undefined {
  const why = path.includes("/") ? FAULTS[kind] : "it is a name, and no path";
  if (why === undefined) return undefined;
  return `Cannot use '${path}' (--announce-script): ${why}; name a file that ` +
    "can be executed, such as /etc/anytun/announce.sh";
}

const FAULTS = {
  file: "it cannot be executed",
  folder: "it is a folder",
  none: "there is no such file",
  program: undefined,
  unseen: "it cannot be seen",
} as const;

type AnnounceSettings = Settings<typeof announceRows & typeof deviceRows>;

/** @returns undefined where nothing is announced */
export function announceOf(
  settings: AnnounceSettings,
  warn: Warn,
): AnnounceOptions | undefined {
  const { values, names, origins } = settings;
  const { anycastAddresses: addresses, announceScript: script } = values;
  const { anycastDevice: device } = values;
  if (addresses.length === 0) {
    if (device !== undefined) {
      warn(`${names.anycastDevice} has no effect without --anycast-address`);
    }
    if (script === undefined) {
      if (origins.drainTime.kind !== "default") {
        warn(
          `${names.drainTime} has no effect without --anycast-address or ` +
            "--announce-script",
        );
      }
      return undefined;
    }
    return { addresses, device: undefined, script };
  }
  if (device === undefined) {
    throw new OptionFault(
      `Cannot use ${names.anycastAddresses} without --anycast-device: name ` +
        "the device that the routing daemon looks at, such as anycast0",
    );
  }
  if (device === values.deviceName) {
    throw new OptionFault(
      `Cannot use ${names.anycastDevice} '${device}': it is the tunnel's own ` +
        `device (${names.deviceName}); name another one, such as anycast0`,
    );
  }
  checkOnce(settings);
  return { addresses, device, script };
}

function checkOnce({ values, names }: AnnounceSettings): void {
  const seen = new Map<string, Prefix>();
  for (const prefix of values.anycastAddresses) {
    const text = formatAddress(prefix.address);
    const before = seen.get(text);
    if (before !== undefined) {
      throw new OptionFault(
        `Cannot use ${names.anycastAddresses} ${formatPrefix(prefix)} beside ` +
          `${formatPrefix(before)}: give each address once`,
      );
    }
    seen.set(text, prefix);
  }
}

function anycastAddress(text: string): Prefix {
  const prefix = parsePrefix(text);
  const expected = "an address and a prefix length, such as 192.0.2.1/32 or " +
    "2001:db8::1/128";
  if (prefix === undefined || prefix.length === 0) throw new BadValue(expected);
  if (isOfOneHost(prefix.address)) return prefix;
  throw new BadValue(
    `${expected}: neither multicast nor loopback, link-local or unspecified`,
  );
}

/** One that routers can lead here. */
function isOfOneHost({ bytes }: IpAddress): boolean {
  const [first = 0, second = 0] = bytes;
  if (bytes.length === 4) {
    return first !== 0 && first !== 127 && first < 224 &&
      !(first === 169 && second === 254);
  }
  // fe80::/10, ff00::/8, :: and ::1
  return first !== 0xff && !(first === 0xfe && (second & 0xc0) === 0x80) &&
    bytes.subarray(0, 15).some((byte) => byte !== 0);
}
