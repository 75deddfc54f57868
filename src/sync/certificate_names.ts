// Hosts that a certificate names as subjectAltName (RFC 5280 section 4.2.1.6).
//
// Read from its bytes: the text that the runtime makes of them has a name that
// holds ", DNS:" as two.
import { parseAddress } from "../net/address.ts";
import { sameBytes } from "../satp/same_bytes.ts";
import { SyncError } from "./error.ts";
import { latin1 } from "./latin1.ts";

interface HostNames {
  /** Lower case. */
  readonly names: readonly string[];
  /** 4 or 16 bytes each. */
  readonly addresses: readonly Uint8Array[];
}

/** DER (X.690): object identifier 2.5.29.17. */
const SUBJECT_ALT_NAME = Uint8Array.of(0x55, 0x1d, 0x11);
const SEQUENCE = 0x30;
const OBJECT_IDENTIFIER = 0x06;
const OCTET_STRING = 0x04;
const EXTENSIONS = 0xa3;
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;

interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
}

/**
 * @param der A certificate that was verified
 * @throws {SyncError} if it is none
 */
export function hostNamesIn(der: Uint8Array): HostNames {
  const [certificate] = elementsIn(der);
  const [toBeSigned] = elementsIn(contentOf(certificate, SEQUENCE));
  const extensions = elementsIn(contentOf(toBeSigned, SEQUENCE))
    .find(({ tag }) => tag === EXTENSIONS);
  const names = extensions === undefined ? [] : namesIn(extensions.content);
  return {
    names: names.filter(({ tag }) => tag === DNS_NAME)
      .map(({ content }) => latin1(content).toLowerCase()),
    addresses: names.filter(({ tag }) => tag === IP_ADDRESS)
      .map(({ content }) => content),
  };
}

/**
 * Whether one of them is the very host; no name with `*` is.
 * @param host Name or address
 */
export function namesHost(
  { names, addresses }: HostNames,
  host: string,
): boolean {
  const address = parseAddress(host);
  if (address === undefined) {
    return names.includes(host.toLowerCase().replace(/\.$/, ""));
  }
  return addresses.some((one) => sameBytes(one, address.bytes));
}

function namesIn(extensions: Uint8Array): readonly Element[] {
  const [list] = elementsIn(extensions);
  for (const one of elementsIn(contentOf(list, SEQUENCE))) {
    const parts = elementsIn(contentOf(one, SEQUENCE));
    const id = contentOf(parts[0], OBJECT_IDENTIFIER);
    if (!sameBytes(id, SUBJECT_ALT_NAME)) continue;
    const [names] = elementsIn(contentOf(parts.at(-1), OCTET_STRING));
    return elementsIn(contentOf(names, SEQUENCE));
  }
  return [];
}

function contentOf(element: Element | undefined, tag: number): Uint8Array {
  if (element?.tag === tag) return element.content;
  throw malformed();
}

/** All that stand one behind the other. */
function elementsIn(bytes: Uint8Array): readonly Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at] ?? 0;
    const { length, begin } = lengthAt(bytes, at + 1);
    const end = begin + length;
    if (end > bytes.length) throw malformed();
    elements.push({ tag, content: bytes.subarray(begin, end) });
    at = end;
  }
  return elements;
}

/** At most 65535, in one to three bytes. */
function lengthAt(
  bytes: Uint8Array,
  at: number,
): { readonly length: number; readonly begin: number } {
  const [first = 0xff, high = 0, low = 0] = bytes.subarray(at);
  if (first < 0x80) return { length: first, begin: at + 1 };
  if (first === 0x81) return { length: high, begin: at + 2 };
  if (first === 0x82) return { length: high << 8 | low, begin: at + 3 };
  throw malformed();
}

function malformed(): SyncError {
  return new SyncError("input stream error", "Cannot read a certificate");
}
