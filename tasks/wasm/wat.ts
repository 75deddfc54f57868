// Text of WebAssembly from parts.

export function get(name: string): string {
  return `(local.get $${name})`;
}

export function set(name: string, value: string): string {
  return `(local.set $${name} ${value})`;
}

export function each<T>(list: readonly T[], text: (it: T) => string): string {
  return list.map(text).join("\n");
}
