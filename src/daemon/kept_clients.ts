// The clients of a fleet on disk, for a start without the store: one file, a
// line of JSON for each of them.
import type { StateFolder } from "../../ffi/process/state_folder.ts";
import { isClientName } from "../fleet/layout.ts";
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import { CollectedWork } from "../net/collected_work.ts";
import type { FoundClient } from "./fleet_client.ts";
import type { World } from "./world.ts";

/** Soon enough that a client who was removed does not come back. */
const PAUSE_MS = 200;

/** After a failure: a disk that was full may have room. */
const RETRY_MS = 10_000;

/** Bytes: what a store may hold, and a host has memory for. */
const MAX_FILE = 512 << 20;

const FORMAT = "anytun-fleet 1";

export interface Kept {
  readonly clients: ReadonlyMap<string, FoundClient>;
  /** Those of them that the store has no more. */
  readonly held: ReadonlySet<string>;
}

export class KeptClients {
  readonly #folder: Pick<StateFolder, "read" | "replace" | "pathOf">;
  readonly #name: string;
  readonly #content: () => Kept;
  readonly #clock: Pick<World, "delay" | "elapsed">;
  readonly #logger: Logger;
  readonly #work: CollectedWork;
  #isLost = false;
  #isDue = false;
  #isTriedAgain = false;

  constructor(
    folder: Pick<StateFolder, "read" | "replace" | "pathOf">,
    name: string,
    content: () => Kept,
    clock: Pick<World, "delay" | "elapsed">,
    logger: Logger,
  ) {
    this.#folder = folder;
    this.#name = name;
    this.#content = content;
    this.#clock = clock;
    this.#logger = logger;
    this.#work = new CollectedWork(PAUSE_MS, () => this.flush(), clock);
  }

  /** @returns undefined if there are none, or they are of no use: with a line */
  read(): Kept | undefined {
    try {
      const bytes = this.#folder.read(this.#name, MAX_FILE);
      return bytes && readKeptClients(new TextDecoder().decode(bytes));
    } catch (error) {
      const path = this.#folder.pathOf(this.#name);
      this.#logger.error(
        `Cannot use the clients kept in '${path}': ${reasonOf(error)}`,
      );
      return undefined;
    }
  }

  /** Asks for them to be written before long. */
  ask(): void {
    this.#isDue = true;
    this.#work.ask();
  }

  /**
   * Writes what was asked for. A disk that is full is no reason to end, and none
   * to forget what is due: who was removed meanwhile would be back one day.
   */
  flush(): void {
    if (!this.#isDue) return;
    try {
      const text = formatKeptClients(this.#content());
      const bytes = new TextEncoder().encode(text);
      this.#folder.replace(new Map([[this.#name, bytes]]));
      this.#isDue = false;
      if (this.#isLost) this.#logger.notice("clients are kept on disk again");
      this.#isLost = false;
    } catch (error) {
      const path = this.#folder.pathOf(this.#name);
      const text =
        `Cannot keep the clients in '${path}': ${reasonOf(error)}; ` +
        "a start without the store would not know what has changed";
      if (!this.#isLost) this.#logger.error(text);
      this.#isLost = true;
      this.#tryAgain();
    }
  }

  #tryAgain(): void {
    if (this.#isTriedAgain) return;
    this.#isTriedAgain = true;
    void this.#clock.delay(RETRY_MS).then(() => {
      this.#isTriedAgain = false;
      this.flush();
    });
  }
}

/** Who is held stands where versions that knew of nobody do not look. */
export function formatKeptClients({ clients, held }: Kept): string {
  const marks = held.size === 0 ? [] : [[...held]];
  const lines = [JSON.stringify([FORMAT, clients.size, ...marks])];
  for (const [name, { created, text, chain }] of clients) {
    const rest = chain === undefined ? [] : [chain];
    lines.push(JSON.stringify([name, created, text, ...rest]));
  }
  return `${lines.join("\n")}\n`;
}

/** @throws if it is anything else than all that was written */
export function readKeptClients(file: string): Kept {
  const clients = new Map<string, FoundClient>();
  const [head = "", ...lines] = file.trimEnd().split("\n");
  const [format, count, held] = listIn(head, 1);
  if (format !== FORMAT) throw new Error(`line 1: it is not ${FORMAT}`);
  for (const [index, line] of lines.entries()) {
    const [name, created, text, chain] = listIn(line, index + 2);
    const isRight = typeof name === "string" && isClientName(name) &&
      typeof created === "number" && Number.isSafeInteger(created) &&
      typeof text === "string" &&
      (chain === undefined || typeof chain === "string");
    if (!isRight) throw new Error(`line ${index + 2}: it is no client`);
    clients.set(name, { created, text, chain });
  }
  if (clients.size !== count) {
    throw new Error(`it has ${clients.size} clients of ${count}`);
  }
  return { clients, held: heldIn(held, clients) };
}

/** A version before this one marks nobody. */
function heldIn(list: unknown = [], clients: Kept["clients"]): Set<string> {
  const names: readonly unknown[] = Array.isArray(list) ? list : [list];
  const held = new Set(names.filter((name) => typeof name === "string"));
  const isRight = Array.isArray(list) && held.size === names.length &&
    held.isSubsetOf(clients);
  if (!isRight) throw new Error("line 1: it is no list of clients in it");
  return held;
}

function listIn(line: string, number: number): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(line);
    if (Array.isArray(value)) return value;
  } catch {
    // The reasons of the parser may show what is in it.
  }
  throw new Error(`line ${number}: it is no list`);
}
