// Libraries of the system, opened by one of several names.

/**
 * The first that can be opened.
 * @param failure Makes an error of the reasons, if there is none.
 * @throws {Deno.errors.NotCapable} Without the permission --allow-ffi.
 */
export function openFirst<const Symbols extends Deno.ForeignLibraryInterface>(
  names: readonly string[],
  symbols: Symbols,
  failure: (reasons: string) => Error,
): Deno.DynamicLibrary<Symbols> {
  const reasons: string[] = [];
  for (const name of names) {
    try {
      return openLazily(name, symbols);
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw failure(reasons.join("; "));
}

/**
 * The runtime compiles a trampoline for each function that it opens, a third of
 * a millisecond each: only those in use are worth it. All the same a library
 * that lacks one is refused at once.
 */
function openLazily<const Symbols extends Deno.ForeignLibraryInterface>(
  name: string,
  symbols: Symbols,
): Deno.DynamicLibrary<Symbols> {
  const opened = new DisposableStack();
  const open = <const S extends Deno.ForeignLibraryInterface>(table: S) =>
    opened.adopt(Deno.dlopen(name, table), (library) => library.close());
  open(mustHaves(symbols));
  const lazy = {};
  for (const [key, symbol] of Object.entries(symbols)) {
    let found: unknown;
    const get = () => {
      if (found === undefined) found = open({ [key]: symbol }).symbols[key];
      return found;
    };
    Object.defineProperty(lazy, key, { get, enumerable: true });
  }
  return {
    symbols: lazy as Deno.DynamicLibrary<Symbols>["symbols"],
    close: () => opened.dispose(),
  };
}

/**
 * To look functions up and call none: those for the thread pool get no
 * trampoline. Not as variables, since Deno 2.7 leaves a library open that lacks
 * one of those.
 */
function mustHaves(
  symbols: Deno.ForeignLibraryInterface,
): Deno.ForeignLibraryInterface {
  const table: Record<string, Deno.ForeignFunction> = {};
  for (const [key, { name = key, optional }] of Object.entries(symbols)) {
    if (optional === true) continue;
    table[name] = { parameters: [], result: "void", nonblocking: true };
  }
  return table;
}

/** Empty for a null pointer. */
export function textAt(pointer: Deno.PointerValue): string {
  return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
}
