import assert from "node:assert/strict";
import type { Identity } from "../../ffi/process/identity.ts";
import type { PlacedFile } from "../../ffi/process/placed_file.ts";
import type { SandboxNeeds } from "../../ffi/process/syscalls.ts";
import {
  type AnytunOptions,
  readAnytunCommandLine,
} from "../../src/config/anytun.ts";
import type {
  KeptProgram,
  ProcessControl,
  ProgramEnd,
  ProgramStart,
  RunningProgram,
} from "../../src/daemon/process_control.ts";
import { fakeHostFiles } from "./host_files.ts";

/** A process that notes what is done to it. */
export class FakeControl implements ProcessControl {
  readonly calls: string[] = [];
  readonly started: ProgramStart[] = [];
  end: ProgramEnd = { kind: "exit", status: 0 };
  /** What programs write, read by read. */
  readonly output: (readonly string[])[] = [];
  fails: string | undefined;
  cannotConfine: string | undefined;
  refused: ReadonlyMap<string, number> = new Map();

  findUser(name: string): Identity | undefined {
    if (name === "loner") return { uid: 17, gid: 18 };
    return name === "user" ? { uid: 7, gid: 8 } : undefined;
  }

  findGroup(name: string): number | undefined {
    return name === "group" ? 9 : undefined;
  }

  groupName(gid: number): string | undefined {
    return gid === 8 ? "users" : undefined;
  }

  interfaceName(): undefined {
    return undefined;
  }

  interfaceIndex(name: string): number | undefined {
    return name === "eth0" ? 2 : undefined;
  }

  placeFile(path: string, bytes: Uint8Array): PlacedFile {
    this.#call(`place ${path} ${new TextDecoder().decode(bytes)}`);
    return {
      remove: () => this.#call(`remove ${path}`),
      close: () => this.#call(`let go of ${path}`),
    };
  }

  run(program: ProgramStart): RunningProgram {
    this.started.push(program);
    return {
      ended: Promise.resolve(this.end),
      readLines: () => this.output.shift(),
      [Symbol.dispose]: () => this.#call("close output"),
    };
  }

  keep(program: ProgramStart): KeptProgram {
    const { path, args, env } = program;
    this.#call(["keep", path, ...args, env.ANYTUN_ADDRESSES].join(" "));
    return { run: () => this.run(program) };
  }

  listen(): never {
    throw new Error("nothing is announced here");
  }

  changeRoot(folder: string): void {
    this.#call(`root ${folder}`);
  }

  changeDirectory(folder: string): void {
    this.#call(`directory ${folder}`);
  }

  changeIdentity({ uid, gid }: Identity): void {
    this.#call(`identity ${uid}:${gid}`);
  }

  takeRuntimeFiles(): void {
    this.#call("files");
  }

  emptyBoundingSet(): void {
    this.#call("bounding set");
  }

  hideMemory(): void {
    this.#call("memory");
  }

  trimHeap(): void {
    this.#call("trim");
  }

  dropProgramPages(): void {
    this.#call("drop");
  }

  confine({ appended, removedFrom }: SandboxNeeds): string | undefined {
    this.#call(`calls ${[...appended, ...removedFrom].join()}`);
    return this.cannotConfine;
  }

  confineFiles({ appended, removedFrom }: SandboxNeeds): string | undefined {
    this.#call(`files ${[...appended, ...removedFrom].join()}`);
    return this.cannotConfine;
  }

  refusedCalls(): ReadonlyMap<string, number> {
    return this.refused;
  }

  #call(what: string): void {
    if (this.fails !== undefined && what.startsWith(this.fails)) {
      throw new Error("Operation not permitted");
    }
    this.calls.push(what);
  }
}

export function anytunOptions(...argv: string[]): AnytunOptions {
  const line = ["-E", "x", ...argv];
  const runtime = { deno: "2.9.6", v8: "15.0" };
  const result = readAnytunCommandLine(line, runtime, fakeHostFiles());
  assert.equal(result.kind, "run");
  return result.options;
}
