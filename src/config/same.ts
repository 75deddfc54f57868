// Equality of values of options.

/** Compares what options are made of: plain objects, arrays, bytes, numbers. */
export function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (!isThing(a) || !isThing(b)) return false;
  const names = Object.keys(a);
  return Array.isArray(a) === Array.isArray(b) &&
    names.length === Object.keys(b).length &&
    names.every((name) => name in b && isSame(a[name], b[name]));
}

function isThing(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
