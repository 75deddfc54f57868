// The guard of anycast addresses: a second process that takes them away when the
// daemon is killed or hangs, and holds nothing but that duty. It hears beats of
// the daemon several times a second, over a socket that ends with it.
import { CAP, MSG } from "../../ffi/flags.ts";
import { keepCapabilities } from "../../ffi/process/capabilities.ts";
import { takeRuntimeFiles } from "../../ffi/process/descriptors.ts";
import {
  confine,
  forbidPrivileges,
  hideMemory,
  limitBoundingSet,
} from "../../ffi/process/hardening.ts";
import { changeDirectory, changeIdentity } from "../../ffi/process/identity.ts";
import { keepInspectorShut } from "../../ffi/process/inspector.ts";
import { confineFiles } from "../../ffi/process/landlock.ts";
import { writeDescriptor } from "../../ffi/process/file.ts";
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import { readEnvironment, setProcessName } from "../../ffi/process/process.ts";
import { dropProgramPages, trimHeap } from "../../ffi/process/spare_memory.ts";
import { SystemError } from "../../ffi/errno.ts";
import { Arena } from "../../ffi/memory.ts";
import { FOREVER, PollSet } from "../../ffi/poll.ts";
import {
  type AnycastAddress,
  AnycastDevice,
} from "../../ffi/tuntap/anycast_device.ts";
import { EXIT_FAILED, EXIT_OK } from "../config/exit_status.ts";
import { reasonOf } from "../log/reason.ts";
import { removeAll, takeInNone } from "./anycast_removal.ts";
import { endText, openGuardLog } from "./guard_log.ts";
import { GuardPatience } from "./guard_patience.ts";
import {
  BEAT,
  END,
  FAILED,
  GUARD_FD,
  type GuardSetup,
  READY,
  SCRIPT_FD,
  WITHDRAWN,
} from "./guard_setup.ts";
import { readGuardSetup } from "./read_guard_setup.ts";

/**
 * Nobody but the daemon says when to go, however it is stopped, or asked for
 * something: a service manager may send a signal to all of a unit.
 */
const SIGNALS = [
  "SIGTERM",
  "SIGINT",
  "SIGHUP",
  "SIGQUIT",
  "SIGABRT",
  "SIGUSR2",
] as const;

/** What the kernel did not take away is tried again so soon, and so often. */
const AGAIN_MS = 200;
const TRIES = 25;

const MESSAGE_SIZE = 64;
const POLL_SET_SIZE = 8;

/** @returns The exit status, once the daemon is gone */
export function runGuard(libc: ProcessLibc, text: string): number {
  setProcessName(libc, "anytun-guard");
  for (const signal of SIGNALS) Deno.addSignalListener(signal, () => {});
  // Again, whatever the runtime does for a new listener.
  keepInspectorShut(libc);
  try {
    const setup = readGuardSetup(text);
    const { device: name } = setup;
    using device = name === null ? undefined : new AnycastDevice(libc, name);
    const log = openGuardLog(libc, readEnvironment(libc), setup.log);
    const guard = new GuardProcess(libc, setup, device, log);
    limit(libc, setup);
    trimHeap(libc);
    dropProgramPages(libc);
    guard.tell(READY);
    guard.watch();
    return EXIT_OK;
  } catch (error) {
    tell(libc, `${FAILED}${reasonOf(error)}`);
    return EXIT_FAILED;
  }
}

/** One right, and no file. */
function limit(
  libc: ProcessLibc,
  { identity, isConfined }: GuardSetup,
): void {
  const kept = [CAP.NET_ADMIN];
  takeRuntimeFiles(libc);
  changeDirectory(libc, "/");
  limitBoundingSet(libc);
  if (identity === null) tryToKeep(libc, kept);
  else changeIdentity(libc, identity, kept);
  hideMemory(libc);
  if (!isConfined) return;
  forbidPrivileges(libc);
  const needs = { appended: [], written: [], removedFrom: [] };
  confineFiles(libc, needs);
  confine(libc, needs);
}

/** Under a service manager it has no other, and may not change them. */
function tryToKeep(libc: ProcessLibc, kept: readonly number[]): void {
  try {
    keepCapabilities(libc, kept);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
  }
}

class GuardProcess {
  readonly #libc: ProcessLibc;
  readonly #setup: GuardSetup;
  readonly #addresses: readonly AnycastAddress[];
  readonly #device: AnycastDevice | undefined;
  readonly #poll: PollSet;
  readonly #log: ReturnType<typeof openGuardLog>;
  readonly #daemon = Deno.ppid;
  readonly #message = new Uint8Array(MESSAGE_SIZE);
  /** Of the last time that something was taken away. */
  #fault: string | undefined;

  constructor(
    libc: ProcessLibc,
    setup: GuardSetup,
    device: AnycastDevice | undefined,
    log: ReturnType<typeof openGuardLog>,
  ) {
    this.#libc = libc;
    this.#setup = setup;
    this.#addresses = setup.addresses.map(({ bytes, length }) => {
      return { bytes: Uint8Array.from(bytes), length };
    });
    this.#device = device;
    this.#log = log;
    this.#poll = new PollSet(libc, new Arena(POLL_SET_SIZE), 1);
    this.#poll.add(GUARD_FD);
  }

  /** Until the daemon says that it ends, or is gone. */
  watch(): void {
    const patience = new GuardPatience(this.#setup, () => performance.now());
    /** Whether something stays, though the daemon says nothing. */
    let isLeft = false;
    for (;;) {
      const left = isLeft ? Math.min(patience.left, AGAIN_MS) : patience.left;
      if (this.#poll.wait(left === Infinity ? FOREVER : left) > 0) {
        const word = this.#receive();
        if (word === END) return;
        if (word === undefined) return this.#clean();
        patience.heard(word);
        if (word !== BEAT) continue;
        isLeft = false;
        this.#device?.note();
        continue;
      }
      if (patience.isOver()) {
        isLeft = !this.#withdraw();
        this.tell(WITHDRAWN);
      } else if (isLeft) isLeft = !this.#remove();
    }
  }

  tell(text: string): void {
    tell(this.#libc, text);
  }

  /** @returns undefined after the end of the daemon */
  #receive(): string | undefined {
    const { recv } = this.#libc.symbols;
    const message = this.#message;
    const size = recv(GUARD_FD, message, message.length, MSG.DONTWAIT);
    if (size <= 0) return undefined;
    return new TextDecoder().decode(message.subarray(0, size));
  }

  /** Nobody is left to take anything in. */
  #clean(): void {
    let isDone = this.#withdraw();
    const pause = new PollSet(this.#libc, new Arena(POLL_SET_SIZE), 1);
    for (let tries = 0; !isDone && tries < TRIES; tries++) {
      pause.wait(AGAIN_MS);
      isDone = this.#remove();
    }
    const device = this.#device;
    this.#fault ??= device && takeInNone(device, this.#addresses);
    this.#say();
  }

  /**
   * Last of all, as it may have to wait for a disk: the daemon's own log has not a
   * word about it.
   */
  #say(): void {
    const fault = this.#fault;
    const level = fault === undefined ? "warning" : "error";
    this.#log(level, endText(this.#setup, this.#daemon, fault));
  }

  /** @returns false if an address stays */
  #withdraw(): boolean {
    const isDone = this.#remove();
    if (!this.#setup.hasScript) return isDone;
    const word = new TextEncoder().encode("withdraw\n");
    try {
      writeDescriptor(this.#libc, SCRIPT_FD, "script", word);
    } catch (error) {
      // It is gone: nobody is left who could run it.
      if (!(error instanceof SystemError)) throw error;
    }
    return isDone;
  }

  #remove(): boolean {
    const device = this.#device;
    if (device === undefined) return true;
    const fault = removeAll(device, this.#addresses);
    this.#fault = fault;
    if (fault !== undefined) this.tell(`${FAILED}${fault}`);
    return fault === undefined;
  }
}

/** Whether anybody listens or not. */
function tell({ symbols }: ProcessLibc, text: string): void {
  const bytes = new TextEncoder().encode(text);
  symbols.send(GUARD_FD, bytes, bytes.length, MSG.NOSIGNAL | MSG.DONTWAIT);
}
