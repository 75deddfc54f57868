// Instance of one of the engines' WebAssembly modules.

/**
 * @param text The assembled module, base64
 * @throws {Error} if the processor lacks what it takes
 */
export function openKernel(
  text: string,
  memory: WebAssembly.Memory,
): WebAssembly.Exports {
  const module = compiled(Uint8Array.fromBase64(text));
  return new WebAssembly.Instance(module, { engine: { memory } }).exports;
}

function compiled(binary: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  try {
    return new WebAssembly.Module(binary);
  } catch (cause) {
    if (!(cause instanceof WebAssembly.CompileError)) throw cause;
    throw new Error(
      "Cannot open an engine: this processor has no vector instructions for " +
        "WebAssembly (on x86-64 those of SSE4.1)",
      { cause },
    );
  }
}
