// Interfaces in scoped IPv6 addresses (RFC 4007 section 11).
import { formatAddress, type IpAddress } from "./address.ts";
import { type Endpoint, formatEndpoint } from "./endpoint.ts";

/** Of an interface, in the kernel's addresses. */
const MAX_INDEX = 0xffffffff;

export type InterfaceIndex = (name: string) => number | undefined;

/**
 * Sockets know interfaces by number.
 * @throws if there is no interface of that name
 */
export function withNumericZone(
  address: IpAddress,
  interfaceIndex: InterfaceIndex,
): IpAddress {
  const { zone } = address;
  if (zone === undefined) return address;
  if (/^\d+$/.test(zone) && Number(zone) <= MAX_INDEX) return address;
  const index = interfaceIndex(zone);
  if (index === undefined) {
    throw new Error(
      `Cannot use the address ${formatAddress(address)}: there is no ` +
        `interface '${zone}'`,
    );
  }
  return { ...address, zone: String(index) };
}

/** @returns undefined if there is no such interface */
export type InterfaceName = (index: number) => string | undefined;

/** As {@linkcode formatEndpoint}, for people, who know interfaces by name. */
export function formatNamedEndpoint(
  { address, port }: Endpoint,
  interfaceName: InterfaceName | undefined,
): string {
  const { zone } = address;
  if (zone === undefined || !/^\d+$/.test(zone)) {
    return formatEndpoint({ address, port });
  }
  const named = { ...address, zone: interfaceName?.(Number(zone)) ?? zone };
  return formatEndpoint({ address: named, port });
}
