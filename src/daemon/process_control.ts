// Control of a daemon's own process, and questions to the system.
import type { Identity } from "../../ffi/process/identity.ts";
import type { SandboxNeeds } from "../../ffi/process/syscalls.ts";
import type { PlacedFile } from "../../ffi/process/placed_file.ts";

export type ProgramEnd =
  | { readonly kind: "exit"; readonly status: number }
  | { readonly kind: "signal"; readonly signal: number }
  /** It could not be started at all. */
  | { readonly kind: "exec error"; readonly reason: string };

export interface ProgramStart {
  readonly path: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface RunningProgram extends Disposable {
  readonly ended: Promise<ProgramEnd>;
  /**
   * What it has written to its standard streams since the last time. Waits for
   * nothing.
   * @returns Whole lines; undefined after the last one
   */
  readLines(): readonly string[] | undefined;
}

/** A program that waits, with the rights of the time when it was made. */
export interface KeptProgram {
  /** Has it run; once. */
  run(): RunningProgram;
}

/** A run for a word that takes longer is ended, and is {@linkcode RUN_ENDED}. */
export const LONGEST_RUN_SECONDS = 60;
/** Exit status of timeout(1). */
export const RUN_ENDED = 124;

export interface WordEnd {
  readonly word: string;
  /** 128 and more for signals. */
  readonly status: number;
}

/**
 * A program that is run for each word that it is told, one run after the other,
 * with the rights of the time when it was made. Disposing of it ends the waiting
 * for its output.
 */
export interface WordProgram extends Disposable {
  /** Descriptor that others may say words to, as lines. */
  readonly words: number;
  /** One that was killed takes none. */
  say(word: string): void;
  /** As {@linkcode RunningProgram.readLines}. */
  readLines(): readonly string[] | undefined;
  /** The same of its runs; a word that it was told last is none. */
  readEnds(): readonly WordEnd[] | undefined;
}

export interface ProcessControl {
  findUser(name: string): Identity | undefined;
  findGroup(name: string): number | undefined;
  groupName(gid: number): string | undefined;
  interfaceIndex(name: string): number | undefined;
  interfaceName(index: number): string | undefined;
  /**
   * Makes a file, in place of a regular file or symbolic link of that name.
   * @throws if it cannot be made
   */
  placeFile(path: string, bytes: Uint8Array<ArrayBuffer>): PlacedFile;
  /** With /dev/null as standard input. */
  run(program: ProgramStart): RunningProgram;
  /**
   * Starts a process that becomes the program once it is told to. It ends with
   * this one if it never is, and signals for all of a group do not reach it.
   * @throws if it cannot be started
   */
  keep(program: ProgramStart): KeptProgram;
  /**
   * Starts a process that runs the program with each new word as its first
   * argument.
   * The word `end` ends it. If this process ends without that, `withdraw` follows
   * a last `announce`.
   * @throws if it cannot be started
   */
  listen(program: ProgramStart): WordProgram;
  changeRoot(folder: string): void;
  changeDirectory(folder: string): void;
  /**
   * @param kept Capabilities that this thread keeps
   * @throws if a step is refused, or root's privileges could be had again
   */
  changeIdentity(identity: Identity, kept?: readonly number[]): void;
  /** Closes files that the runtime could write to. */
  takeRuntimeFiles(): void;
  /** Programs that are executed get no capabilities. */
  emptyBoundingSet(): void;
  /** @throws if the memory of the process cannot be kept out of core files */
  hideMemory(): void;
  /** Gives back to the system what was freed. */
  trimHeap(): void;
  /** Gives back what was read of the program's file, until it is read again. */
  dropProgramPages(): void;
  /**
   * Leaves all threads the system calls that a daemon needs.
   * @returns Why it cannot, or undefined
   */
  confine(needs: SandboxNeeds): string | undefined;
  /**
   * Leaves all threads the folders that are needed, to change files in.
   * @returns Why it cannot, or undefined
   */
  confineFiles(needs: SandboxNeeds): string | undefined;
  /**
   * How often a call of this thread was not permitted since the sandbox is
   * there, by its name: the sandbox denied it, or a permission is missing.
   */
  refusedCalls(): ReadonlyMap<string, number>;
}
