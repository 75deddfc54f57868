// Keys and window of the own connection, and how they change while it carries.
//
// Nobody can tell two hosts at the same moment: keys that are new open at once,
// and seal as soon as the peer does, or a while later. Those before open for a
// while more. So both ends may change theirs one after the other, the second up
// to APART_MS behind the first, and no datagram is lost, also if the first is
// never heard of with its new keys:
//
//   0                the first end opens with the new keys
//   APART_MS         the second end does, and begins to be patient itself
//   PATIENCE_MS      the first end seals with them
//   APART_MS +       the second end seals with them, and has used those before
//     PATIENCE_MS    until now
import type { Logger } from "../log/logger.ts";
import type { Delay } from "../net/delay.ts";
import type { Role } from "../satp/params.ts";
import {
  type MasterSecrets,
  sameSecrets,
  wipeSecrets,
} from "../satp/secrets.ts";
import type { ConnectionTable } from "../tunnel/connection_table.ts";
import type { LeavingKeys } from "../tunnel/leaving_keys.ts";

/** How long after this end the peer may get the new keys. */
const APART_MS = 10_000;
/** For the way of a datagram, a reload that takes its time, and late timers. */
const MARGIN_MS = 2_000;
const PATIENCE_MS = APART_MS + MARGIN_MS;
/** How often to look whether it has. */
const LOOK_MS = 50;

interface OwnKeysContext {
  readonly table: ConnectionTable;
  readonly leaving: LeavingKeys;
  readonly delay: Delay;
  /** Milliseconds of a monotonic clock. */
  readonly elapsed: () => number;
  /** Has the data plane make the connection ready. */
  readonly prepare: (mux: number) => Promise<void>;
  /** Called when the connection has other keys. */
  readonly moved: (mux: number) => void;
  readonly logger: Logger;
}

interface Connection {
  readonly mux: number;
  readonly role: Role;
}

interface Coming {
  /** In the table of connections. */
  readonly name: number;
  /**
   * When they were last opened before: keys that are back were used then, and say
   * nothing of what the peer has now.
   */
  readonly openedBefore: number | undefined;
  readonly stop: AbortController;
}

export class OwnKeys {
  readonly #connection: Connection;
  readonly #context: OwnKeysContext;
  #coming: Coming | undefined;

  constructor(connection: Connection, context: OwnKeysContext) {
    this.#connection = connection;
    this.#context = context;
  }

  /** @param secrets Overwritten: the connection has copies */
  begin(secrets: MasterSecrets, windowSize: number): void {
    const { mux, role } = this.#connection;
    const { table } = this.#context;
    table.put(mux, { role, secrets, windowSize }, 0);
    table.keepNumbersAhead();
    wipeSecrets(secrets);
  }

  /** What was seen so far stays seen. */
  resize(windowSize: number): void {
    const { mux } = this.#connection;
    const { table, moved } = this.#context;
    const own = table.keys(mux);
    if (table.exists(mux) && own.windowSize !== windowSize) {
      table.put(mux, { ...own, windowSize }, 0, "keep");
      moved(mux);
    }
    wipeSecrets(own.secrets);
  }

  /** @param secrets Overwritten */
  change(secrets: MasterSecrets): void {
    const { mux, role } = this.#connection;
    const { table, leaving, logger, prepare } = this.#context;
    if (this.#seals(secrets)) return this.#giveUp();
    const keys = { role, secrets };
    // So that they wait for no disk when they are to seal.
    table.reserveAhead(mux, keys);
    const name = table.addOpening(mux, keys);
    wipeSecrets(secrets);
    if (name === undefined || name === this.#coming?.name) return;
    this.#giveUp();
    leaving.keep(mux, name);
    const openedBefore = table.lastOpened(mux, name);
    const coming = { name, openedBefore, stop: new AbortController() };
    this.#coming = coming;
    logger.notice(
      `connection ${mux} has new keys: they open from now on, and seal as ` +
        `soon as the peer uses them, or in ${PATIENCE_MS / 1000} s`,
    );
    void prepare(mux);
    void this.#sealLater(coming);
  }

  close(): void {
    this.#coming?.stop.abort();
  }

  #seals(secrets: MasterSecrets): boolean {
    const { secrets: own } = this.#context.table.keys(this.#connection.mux);
    const isSame = sameSecrets(own, secrets);
    wipeSecrets(own);
    if (isSame) wipeSecrets(secrets);
    return isSame;
  }

  /** Keys that never came to seal: the peer may use them a while yet. */
  #giveUp(): void {
    if (this.#coming === undefined) return;
    this.#coming.stop.abort();
    // It may take them yet, and has its own patience before it gives them up.
    const longest = APART_MS + PATIENCE_MS;
    this.#context.leaving
      .leave(this.#connection.mux, this.#coming.name, longest);
    this.#coming = undefined;
  }

  async #sealLater(
    { name, openedBefore, stop: { signal } }: Coming,
  ): Promise<void> {
    const { mux } = this.#connection;
    const { table, delay, elapsed, logger } = this.#context;
    const until = elapsed() + PATIENCE_MS;
    const isUsed = () => table.lastOpened(mux, name) !== openedBefore;
    while (!isUsed() && elapsed() < until) {
      await delay(LOOK_MS, signal).catch(() => {});
      if (signal.aborted) return;
    }
    this.#coming = undefined;
    const isHeard = isUsed();
    const who = isHeard
      ? "the peer uses them"
      : "the peer was not heard with them yet";
    // Who is not heard may have new keys since a moment ago, and be as patient as
    // this end was.
    if (this.#seal(name, isHeard ? 0 : APART_MS)) {
      logger.notice(`connection ${mux} seals with its new keys: ${who}`);
    }
  }

  /**
   * @param longer How much longer than usual the keys before open, in ms
   * @returns false if the keys are gone: others have taken their place
   */
  #seal(name: number, longer: number): boolean {
    const { mux, role } = this.#connection;
    const { table, leaving, prepare, moved } = this.#context;
    const { sets, windowSize } = table.held(mux);
    const { secrets } = sets.find((set) => set.name === name) ?? {};
    if (secrets !== undefined) {
      leaving.put(mux, { role, secrets, windowSize }, 0, longer);
      table.keepNumbersAhead();
      void prepare(mux);
      moved(mux);
    }
    for (const set of sets) wipeSecrets(set.secrets);
    return secrets !== undefined;
  }
}
