// Debian's name of what a binary runs on.

/** `e_machine` of ELF, see elf(5). */
const MACHINES: Readonly<Record<number, string>> = {
  0x3e: "amd64",
  0xb7: "arm64",
};

/**
 * @param header The first bytes of the binary
 * @throws if it is none that there is a package for
 */
export function architectureOf(header: Uint8Array): string {
  const isElf = header[0] === 0x7f && header[1] === 0x45 &&
    header[2] === 0x4c && header[3] === 0x46;
  if (!isElf) throw new Error("the program is no ELF file");
  const machine = (header[18] ?? 0) | (header[19] ?? 0) << 8;
  const name = MACHINES[machine];
  if (name !== undefined) return name;
  throw new Error(`the program is for no known machine: ${machine}`);
}
