// A parser of foreign bytes, as the fuzzer sees it. A new one is one file in
// `targets`, which exports a function that opens it.

export interface Target {
  /** Inputs that mean something: what others are made of. */
  readonly seeds: readonly Uint8Array[];
  /** What the parser compares its input with. */
  readonly words?: readonly string[];
  /** Bytes of an input at most (512). */
  readonly maxBytes?: number;
  /**
   * Gives the parser an input, which is the caller's again on return. What
   * comes of it depends on nothing else, or it could not be repeated.
   *
   * @throws if something does not hold that must, whatever the input is
   */
  run(input: Uint8Array): void | Promise<void>;
}

export const MAX_BYTES = 512;

interface TargetModule {
  readonly default: () => Target | Promise<Target>;
}

const FOLDER = new URL("targets/", import.meta.url);

export function targetNames(): string[] {
  return [...Deno.readDirSync(FOLDER)]
    .map(({ name }) => name.replace(/\.ts$/, "").replaceAll("_", "-"))
    .toSorted();
}

export async function openTarget(name: string): Promise<Target> {
  const file = new URL(`${name.replaceAll("-", "_")}.ts`, FOLDER);
  const { default: open }: TargetModule = await import(file.href);
  return await open();
}
