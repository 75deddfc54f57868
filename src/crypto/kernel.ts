// Instance of one of the engines' WebAssembly modules.

/** @param text The assembled module, base64 */
export function openKernel(
  text: string,
  memory: WebAssembly.Memory,
): WebAssembly.Exports {
  const binary = Uint8Array.fromBase64(text);
  const module = new WebAssembly.Module(binary);
  return new WebAssembly.Instance(module, { engine: { memory } }).exports;
}
