// A daemon's hold on its own process, and its questions to the system.
import type { Identity } from "../../ffi/process/identity.ts";
import type { PlacedFile } from "../../ffi/process/placed_file.ts";

/** How a program came to its end. */
export type ProgramEnd =
  | { readonly kind: "exit"; readonly status: number }
  | { readonly kind: "signal"; readonly signal: number }
  /** It could not be started at all. */
  | { readonly kind: "exec error"; readonly reason: string };

/** A program to run. */
export interface ProgramStart {
  readonly path: string;
  /** Arguments without the name of the program. */
  readonly args: readonly string[];
  /** Its whole environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** A daemon's hold on its process. All but `run` take effect at once. */
export interface ProcessControl {
  /** @returns undefined if there is no such user */
  findUser(name: string): Identity | undefined;
  /** @returns undefined if there is no such group */
  findGroup(name: string): number | undefined;
  /** @returns undefined if the group has no name */
  groupName(gid: number): string | undefined;
  /** @returns undefined if there is no such interface */
  interfaceIndex(name: string): number | undefined;
  /**
   * Makes a file, in place of a regular file or symbolic link of that name.
   *
   * @throws if it cannot be made
   */
  placeFile(path: string, bytes: Uint8Array<ArrayBuffer>): PlacedFile;
  /**
   * Runs a program with /dev/null as its standard streams.
   *
   * @returns Its end, which may be far away
   */
  run(program: ProgramStart): Promise<ProgramEnd>;
  /** @throws if the folder cannot become the root of the file system */
  changeRoot(folder: string): void;
  /** @throws if the folder cannot be entered */
  changeDirectory(folder: string): void;
  /** @throws if a step is refused, or root's privileges could be had again */
  changeIdentity(identity: Identity): void;
  /**
   * Takes the runtime the files that it could write to.
   *
   * @throws if one cannot be taken away
   */
  takeRuntimeFiles(): void;
  /** Leaves no capabilities to what this thread may execute. */
  emptyBoundingSet(): void;
  /** @throws if the memory of the process cannot be kept out of core files */
  hideMemory(): void;
  /** @returns undefined if nothing can be executed any more, or why it can */
  forbidExecution(): string | undefined;
}
