/**
 * What all demos have in common: how they begin, speak and end.
 *
 * @module
 */

/** A demo that leaves nothing behind. */
export interface Demo {
  /** What the viewer reads first. */
  readonly title: string;
  /** Why it cannot be shown here, or null if it can. */
  readonly missing: string | null;
  /** The task that it is. */
  readonly task: string;
  /** What is so at the end. */
  readonly ending: string;
  /**
   * @param interrupted Settles with an exit status when it is to end early.
   * @returns The exit status, when everything has been removed.
   */
  play(interrupted: Promise<number>): Promise<number>;
}

/** @returns The exit status. */
export async function present(
  { title, missing, task, ending, play }: Demo,
): Promise<number> {
  if (missing !== null) {
    print(`Cannot run the demo: ${missing}.`);
    if (Deno.uid() !== 0) {
      print(`As root:  sudo "$(command -v deno)" task ${task}`);
    }
    return 1;
  }
  const interrupted = interruption();
  print(`${title}\n`);
  const status = await play(interrupted).catch((error: Error) => {
    print(`\n${error.message}`);
    return 1;
  });
  print(`\n${ending}`);
  return status;
}

/** Says what something is, or has come to. */
export function row(name: string, text: string): void {
  print(`  ${name.padEnd(15)}${text}`);
}

export function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

/** Settles with the exit status that a signal to end calls for. */
function interruption(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  Deno.addSignalListener("SIGINT", () => resolve(128 + 2));
  Deno.addSignalListener("SIGTERM", () => resolve(128 + 15));
  return promise;
}
