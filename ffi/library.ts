/**
 * Opening a library of the system by one of several names.
 *
 * @module
 */

/**
 * Opens the first library that can be opened.
 *
 * @param names File names, in the order in which they are tried.
 * @param symbols What the library has to have.
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
      return Deno.dlopen(name, symbols);
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw failure(reasons.join("; "));
}

/** The text that a library has returned; empty if that is a null pointer. */
export function textAt(pointer: Deno.PointerValue): string {
  return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
}
