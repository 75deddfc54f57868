// The guard of anycast addresses as its daemon sees it.
import { MSG } from "../../ffi/flags.ts";
import { SocketPair } from "../../ffi/net/socket_pair.ts";
import { readArguments } from "../../ffi/process/file.ts";
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import { spawn, waitForEnd } from "../../ffi/process/spawn.ts";
import type { GuardHandle } from "./guard.ts";
import { streamOf } from "./guard_log.ts";
import {
  BEAT,
  END,
  FAILED,
  GUARD_VARIABLE,
  type GuardSetup,
  READY,
  WITHDRAWN,
} from "./guard_setup.ts";

const MESSAGE_SIZE = 512;

/**
 * The program once more, which sees by its environment what it is to be.
 * @param scriptFd Where a script waits for words
 * @throws if there is no process for it
 */
export function startGuard(
  libc: ProcessLibc,
  environment: ReadonlyMap<string, string>,
  setup: GuardSetup,
  scriptFd: number | undefined,
): GuardHandle {
  const pair = new SocketPair(libc);
  const { near, far } = pair;
  using undo = new DisposableStack();
  undo.use(pair);
  const variables = new Map([
    ...environment,
    [GUARD_VARIABLE, JSON.stringify(setup)],
  ]);
  const output = streamOf(setup.log);
  const pid = spawn(libc, {
    path: "/proc/self/exe",
    // As /proc shows them: secrets are overwritten there by now.
    argv: readArguments(libc),
    env: Array.from(variables, ([name, value]) => `${name}=${value}`),
    newSession: true,
    descriptors: [far, ...(scriptFd === undefined ? [] : [scriptFd])],
    ...(output === undefined ? {} : { output }),
  });
  undo.move();
  libc.symbols.close(far);
  return new StartedGuard(libc, near, pid);
}

class StartedGuard implements GuardHandle {
  readonly #libc: ProcessLibc;
  readonly #fd: number;
  readonly #pid: number;
  readonly #message = new Uint8Array(MESSAGE_SIZE);

  constructor(libc: ProcessLibc, fd: number, pid: number) {
    this.#libc = libc;
    this.#fd = fd;
    this.#pid = pid;
  }

  get socket(): number {
    return this.#fd;
  }

  beat(): boolean {
    return this.#send(BEAT);
  }

  heard(): ReturnType<GuardHandle["heard"]> {
    const message = this.#message;
    const { recv } = this.#libc.symbols;
    const size = recv(this.#fd, message, message.length, MSG.DONTWAIT);
    if (size < 0) return undefined;
    if (size === 0) return { kind: "gone" };
    const text = new TextDecoder().decode(message.subarray(0, size));
    if (text === READY) return { kind: "ready" };
    if (text === WITHDRAWN) return { kind: "withdrawn" };
    return { kind: "failed", reason: text.replace(FAILED, "") };
  }

  async ending(): Promise<string> {
    const end = await waitForEnd(this.#libc, this.#pid);
    return end.kind === "signal"
      ? `killed by signal ${end.signal}`
      : `exit status ${end.status}`;
  }

  /** The socket goes with the process: threads may be about to send there. */
  [Symbol.dispose](): void {
    this.#send(END);
  }

  /** @returns Whether there was room for it */
  #send(text: string): boolean {
    const bytes = new TextEncoder().encode(text);
    const flags = MSG.NOSIGNAL | MSG.DONTWAIT;
    const { send } = this.#libc.symbols;
    return send(this.#fd, bytes, bytes.length, flags) >= 0;
  }
}
