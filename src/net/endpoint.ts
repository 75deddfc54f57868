// IP endpoints as values and as text.
import { formatAddress, type IpAddress, parseAddress } from "./address.ts";
import { parseDecimal, U16_MAX } from "./decimal.ts";

export interface Endpoint {
  readonly address: IpAddress;
  readonly port: number;
}

export function parseEndpoint(text: string): Endpoint | undefined {
  const [, v6, v4, digits = ""] =
    /^(?:\[([^\]]*)\]|([^:]*)):(\d+)$/.exec(text) ?? [];
  const address = parseAddress(v6 ?? v4 ?? "");
  const port = parseDecimal(digits, 0, U16_MAX);
  if (address === undefined || port === undefined) return undefined;
  return address.family === (v6 === undefined ? 4 : 6)
    ? { address, port }
    : undefined;
}

/** `a.b.c.d:port` or `[v6]:port` (SATP section 10). */
export function formatEndpoint({ address, port }: Endpoint): string {
  const host = formatAddress(address);
  return address.family === 4 ? `${host}:${port}` : `[${host}]:${port}`;
}
