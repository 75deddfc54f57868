// Messages between members about themselves: how they are, and which clients
// they serve.
import { asciiJson } from "../log/visible.ts";
import { SyncError } from "./error.ts";
import { packed, unpacked } from "./packed.ts";

/** What such messages are called. */
export const MEMBER = "member";
export const SERVING = "serving";

/** What a member says of itself. */
export interface MemberFacts {
  /** Of its host and its instance, such as `edge1/vpn`. */
  readonly name: string;
  readonly version: string;
  /** Whether it may have traffic, in one word. */
  readonly health: string;
  /** Since when that is so, in ms since 1970. */
  readonly since: number;
  /** Whether it hears what the others say. */
  readonly inStep: boolean;
}

/** A client that a member hears, or does not hear any more. */
export interface Serving {
  readonly mux: number;
  /** Since when, in seconds since 1970; 0 if not any more. */
  readonly since: number;
}

interface ServingList {
  /** Whether those before it count no more. */
  readonly isWhole: boolean;
  readonly clients: readonly Serving[];
}

const ENTRY_BYTES = 6;

/** In one message. */
export const MOST_SERVING = 8192;

const MAX_FACTS = 2048;
const LONGEST = { name: 255, version: 64, health: 32 } as const;

const WHOLE = "all ";
const CHANGES = "new ";

export function formatFacts(
  { name, version, health, since, inStep }: MemberFacts,
): string {
  return asciiJson({
    name: name.slice(0, LONGEST.name),
    version: version.slice(0, LONGEST.version),
    health: health.slice(0, LONGEST.health),
    since,
    inStep,
  });
}

/** @throws {SyncError} if anything in it is not as it has to be */
export function parseFacts(body: string): MemberFacts {
  const value = body.length > MAX_FACTS ? undefined : jsonOf(body);
  if (typeof value !== "object" || value === null) throw unreadable();
  const fields = new Map<string, unknown>(Object.entries(value));
  const text = (field: keyof typeof LONGEST) => {
    const found = fields.get(field);
    if (typeof found === "string" && found.length <= LONGEST[field]) {
      return found;
    }
    throw unreadable();
  };
  const since = fields.get("since");
  const inStep = fields.get("inStep");
  const isTime = typeof since === "number" && Number.isSafeInteger(since) &&
    since >= 0;
  if (!isTime || typeof inStep !== "boolean") throw unreadable();
  return {
    name: text("name"),
    version: text("version"),
    health: text("health"),
    // There is a zero below zero.
    since: Math.abs(since),
    inStep,
  };
}

/** @param clients No more than {@link MOST_SERVING} */
export function formatServing({ isWhole, clients }: ServingList): string {
  const bytes = new Uint8Array(clients.length * ENTRY_BYTES);
  const view = new DataView(bytes.buffer);
  clients.forEach(({ mux, since }, k) => {
    view.setUint16(k * ENTRY_BYTES, mux);
    view.setUint32(k * ENTRY_BYTES + 2, since);
  });
  return (isWhole ? WHOLE : CHANGES) + packed(bytes);
}

/** @throws {SyncError} if it is not a list of them */
export function parseServing(body: string): ServingList {
  const word = body.slice(0, WHOLE.length);
  const most = MOST_SERVING * ENTRY_BYTES;
  const bytes = unpacked(body.slice(WHOLE.length), most);
  const isRight = (word === WHOLE || word === CHANGES) &&
    bytes !== undefined && bytes.length % ENTRY_BYTES === 0;
  if (!isRight) throw unreadable();
  const view = new DataView(bytes.buffer);
  return {
    isWhole: word === WHOLE,
    clients: Array.from({ length: bytes.length / ENTRY_BYTES }, (_, k) => ({
      mux: view.getUint16(k * ENTRY_BYTES),
      since: view.getUint32(k * ENTRY_BYTES + 2),
    })),
  };
}

/** @returns undefined for what is no JSON */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreadable(): SyncError {
  return new SyncError(
    "input stream error",
    "Cannot read what a member says of itself",
  );
}
