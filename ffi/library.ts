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
      return Deno.dlopen(name, symbols);
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw failure(reasons.join("; "));
}

/** Empty for a null pointer. */
export function textAt(pointer: Deno.PointerValue): string {
  return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
}
