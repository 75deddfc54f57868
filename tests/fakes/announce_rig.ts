/**
 * An announcement among other services, on a device, a guard and a script that
 * only note what they are told.
 *
 * @module
 */
import assert from "node:assert/strict";
import { SystemError } from "../../ffi/errno.ts";
import { firstReading } from "../../lab/first_reading.ts";
import type { AnnounceOptions } from "../../src/config/announce.ts";
import { AnnounceScript } from "../../src/daemon/announce_script.ts";
import { Announcement } from "../../src/daemon/announcement.ts";
import {
  AnycastAddresses,
  type AnycastHandle,
} from "../../src/daemon/anycast_addresses.ts";
import { Guard, type GuardWord } from "../../src/daemon/guard.ts";
import { Lifecycle } from "../../src/daemon/lifecycle.ts";
import type {
  ProgramStart,
  WordEnd,
} from "../../src/daemon/process_control.ts";
import { LiveOptions } from "../../src/daemon/reload.ts";
import type { Fitness, HealthState } from "../../src/health/state_machine.ts";
import {
  formatPrefix,
  parsePrefix,
  type Prefix,
} from "../../src/net/prefix.ts";
import { ManualClock, settle } from "./manual_clock.ts";
import { recordingLog } from "./recording_log.ts";
import { fakeService } from "./services.ts";

/** A prefix that is one. */
export function prefixOf(text: string): Prefix {
  const prefix = parsePrefix(text);
  assert.ok(prefix);
  return prefix;
}

/** The kernel's addresses, by their texts. */
export class FakeAnycastDevice {
  readonly here = new Set<string>();
  readonly elsewhere = new Set<string>();
  readonly takenIn = new Set<string>();
  /** Of each change of an address from now on, or 0. */
  errno = 0;
  /** Of each time that it is to be taken in. */
  routeErrno = 0;
  readonly #notes: string[];

  constructor(notes: string[]) {
    this.#notes = notes;
  }

  /** What a daemon opens. */
  open(): AnycastHandle {
    const text = (bytes: Uint8Array, length: number) => {
      const family = bytes.length === 4 ? 4 : 6;
      return formatPrefix({ address: { family, bytes }, length });
    };
    const change = (note: string) => {
      if (this.errno !== 0) throw new SystemError(note, "send", this.errno);
      this.#notes.push(note);
    };
    return {
      isOwn: false,
      bringUp: () => {},
      add: ({ bytes, length }) => {
        change(`add ${text(bytes, length)}`);
        this.here.add(text(bytes, length));
      },
      remove: ({ bytes, length }) => {
        change(`remove ${text(bytes, length)}`);
        return this.here.delete(text(bytes, length));
      },
      takeIn: ({ bytes }) => {
        const { routeErrno } = this;
        if (routeErrno !== 0) throw new SystemError("x", "send", routeErrno);
        this.takenIn.add(text(bytes, 0));
      },
      takeInNoMore: ({ bytes }) => this.takenIn.delete(text(bytes, 0)),
      list: () =>
        [...this.here, ...this.elsewhere].map((text) => {
          const { address, length } = prefixOf(text);
          const isHere = this.here.has(text);
          return { address: address.bytes, length, index: 7, isHere };
        }),
      [Symbol.dispose]: () => void this.#notes.push("close the device"),
    };
  }
}

/** Another service, and the announcement behind it. */
export class AnnounceRig {
  /** Whatever happens to anything but the guard. */
  readonly notes: string[] = [];
  readonly logger = recordingLog();
  readonly device = new FakeAnycastDevice(this.notes);
  /** Whether it takes beats, and how many there were. */
  readonly guard = { takes: true, beats: 0 };
  /** By the guard, from now on. */
  readonly said: GuardWord[] = [];
  /** How it was started, and how its next runs end. */
  readonly script: { ends: WordEnd[]; start: ProgramStart | undefined } = {
    ends: [],
    start: undefined,
  };
  readonly traffic = { received: 0 };
  readonly announcement: Announcement;
  readonly lifecycle = new Lifecycle(
    this.logger,
    new LiveOptions(firstReading({ drainTime: 10 }), this.logger),
  );
  readonly #clock = new ManualClock();
  readonly #world = {
    elapsed: this.#clock.now,
    every: this.#clock.every,
    logger: this.logger,
  };
  readonly #options: AnnounceOptions;
  #listener: ((fitness: Fitness) => void) | undefined;

  constructor(given: Partial<AnnounceOptions> = {}) {
    this.#options = {
      addresses: [prefixOf("192.0.2.1/32")],
      device: "any0",
      script: undefined,
      ...given,
    };
    this.announcement = new Announcement(this.#options, 10, {
      ...this.#world,
      received: () => this.traffic.received,
      health: {
        subscribe: (listener) => {
          this.#listener = listener;
          return () => {};
        },
      },
      open: (cleanup) => ({
        addresses: this.#openAddresses(cleanup),
        script: this.#openScript(),
        guard: this.#openGuard(cleanup),
      }),
    });
  }

  readonly healthIs = (state: HealthState): void =>
    this.#listener?.({ state, reasons: [], since: 0 });

  /** In steps of 100 ms. */
  readonly pass = async (ms: number): Promise<void> => {
    for (let k = 0; k < ms; k += 100) await this.#clock.pass(100);
  };

  /** Resolves when all have stopped. */
  readonly run = async (): Promise<void> => {
    const services = [fakeService("plane", this.notes), this.announcement];
    const over = this.lifecycle.run(services, []);
    await settle();
    await over;
  };

  #openAddresses(cleanup: DisposableStack): AnycastAddresses | undefined {
    const { addresses, device } = this.#options;
    if (device === undefined) return undefined;
    const open = () => this.device.open();
    return cleanup.adopt(
      new AnycastAddresses(addresses, device, open, this.logger),
      (opened) => opened.close(),
    );
  }

  #openScript(): AnnounceScript | undefined {
    const { script, notes } = this;
    const announce = this.#options;
    if (!announce.script) return undefined;
    const listen = (start: ProgramStart) => {
      script.start = start;
      return {
        words: 9,
        say: (word: string) => void notes.push(`script ${word}`),
        readLines: () => [],
        readEnds: () => script.ends.splice(0),
        [Symbol.dispose]: () => {},
      };
    };
    return new AnnounceScript(
      announce.script,
      { announce, name: "office" },
      { ...this.#world, control: { listen } },
    );
  }

  #openGuard(cleanup: DisposableStack): Guard {
    const { guard, notes, said } = this;
    return cleanup.use(
      new Guard({
        socket: 7,
        beat: () => (guard.beats++, guard.takes),
        heard: () => said.shift(),
        ending: () => Promise.resolve("killed by signal 9"),
        [Symbol.dispose]: () => void notes.push("let the guard go"),
      }, this.logger),
    );
  }
}
