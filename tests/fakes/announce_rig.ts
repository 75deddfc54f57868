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
import type { ProgramStart } from "../../src/daemon/process_control.ts";
import { LiveOptions } from "../../src/daemon/reload.ts";
import type { HealthState } from "../../src/health/state_machine.ts";
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

export interface AnnounceRig {
  readonly announcement: Announcement;
  readonly device: FakeAnycastDevice;
  /** Whether it takes beats, and how many there were. */
  readonly guard: { takes: boolean; beats: number };
  readonly healthIs: (state: HealthState) => void;
  readonly lifecycle: Lifecycle<{ readonly drainTime: number }>;
  readonly logger: ReturnType<typeof recordingLog>;
  /** Whatever happens to anything but the guard. */
  readonly notes: string[];
  /** In steps of 100 ms. */
  readonly pass: (ms: number) => Promise<void>;
  /** Resolves when all have stopped. */
  readonly run: () => Promise<void>;
  /** By the guard, from now on. */
  readonly said: GuardWord[];
  /** How it was started, and how its next runs end. */
  readonly script: { ends: number[]; start: ProgramStart | undefined };
  readonly traffic: { received: number };
}

/** Another service, and the announcement behind it. */
export function announceRig(
  given: Partial<AnnounceOptions> = {},
): AnnounceRig {
  const notes: string[] = [];
  const clock = new ManualClock();
  const logger = recordingLog();
  const device = new FakeAnycastDevice(notes);
  const said: GuardWord[] = [];
  const guard = { takes: true, beats: 0 };
  const script: { ends: number[]; start: ProgramStart | undefined } = {
    ends: [],
    start: undefined,
  };
  const traffic = { received: 0 };
  const options: AnnounceOptions = {
    addresses: [prefixOf("192.0.2.1/32")],
    device: "any0",
    script: undefined,
    ...given,
  };
  const world = { elapsed: clock.now, every: clock.every, logger };
  let tell: (state: HealthState) => void = () => {};
  const announcement = new Announcement(options, 10, {
    ...world,
    received: () => traffic.received,
    health: {
      subscribe: (listener) => {
        tell = (state) => listener({ state, reasons: [], since: 0 });
        return () => {};
      },
    },
    open: (cleanup) => ({
      addresses: options.device === undefined ? undefined : cleanup.adopt(
        new AnycastAddresses(
          options.addresses,
          options.device,
          () => device.open(),
          logger,
        ),
        (addresses) => addresses.close(),
      ),
      script: options.script && new AnnounceScript(
            options.script,
            { announce: options, name: "office" },
            {
              ...world,
              control: {
                listen: (start) => {
                  script.start = start;
                  return {
                    words: 9,
                    say: (word) => void notes.push(`script ${word}`),
                    readLines: () => [],
                    readEnds: () => script.ends.splice(0),
                    [Symbol.dispose]: () => {},
                  };
                },
              },
            },
          ) || undefined,
      guard: cleanup.use(
        new Guard({
          socket: 7,
          beat: () => (guard.beats++, guard.takes),
          heard: () => said.shift(),
          ending: () => Promise.resolve("killed by signal 9"),
          [Symbol.dispose]: () => void notes.push("let the guard go"),
        }, logger),
      ),
    }),
  });
  const lifecycle = new Lifecycle(
    logger,
    new LiveOptions(firstReading({ drainTime: 10 }), logger),
  );
  const run = async () => {
    const over = lifecycle.run(
      [fakeService("plane", notes), announcement],
      [],
    );
    await settle();
    return over;
  };
  const pass = async (ms: number) => {
    for (let k = 0; k < ms; k += 100) await clock.pass(100);
  };
  const healthIs = (state: HealthState) => tell(state);
  return {
    ...{ announcement, device, guard, healthIs, lifecycle, logger },
    ...{ notes, pass, run, said, script, traffic },
  };
}
