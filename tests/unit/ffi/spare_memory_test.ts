import assert from "node:assert/strict";
import {
  openProcessLibc,
  type ProcessLibc,
  type ProcessSymbols,
} from "../../../ffi/process/libc.ts";
import { dropProgramPages } from "../../../ffi/process/spare_memory.ts";

interface Mapping {
  readonly start: number;
  readonly end: number;
  readonly rights: string;
  readonly file: string;
  /** Kibibytes that the process has written to. */
  readonly written: number;
}

const MAPPING =
  /^(?<start>\w+)-(?<end>\w+) (?<rights>\S+) \S+ \S+ \d+ *(?<file>.*)\n(?:[A-Z].*\n)*?Anonymous: +(?<written>\d+) kB$/gm;

/** What /proc/self/smaps has of this process. */
function mappings(): Mapping[] {
  const text = Deno.readTextFileSync("/proc/self/smaps");
  return [...text.matchAll(MAPPING)].map(({ groups = {} }) => ({
    start: parseInt(groups.start ?? "", 16),
    end: parseInt(groups.end ?? "", 16),
    rights: groups.rights ?? "",
    file: groups.file ?? "",
    written: Number(groups.written),
  }));
}

function withSymbols(
  symbols: Partial<ProcessSymbols>,
  body: (libc: ProcessLibc) => void,
): void {
  const libc = openProcessLibc();
  try {
    body({ ...libc, process: { ...libc.process, ...symbols } });
  } finally {
    libc.close();
  }
}

/** Mappings of which the kernel would be told something. */
function advised(symbols: Partial<ProcessSymbols> = {}): Mapping[] {
  const ranges: { start: number; end: number }[] = [];
  const madvise: ProcessSymbols["madvise"] = (address, size) => {
    const start = Number(Deno.UnsafePointer.value(address));
    ranges.push({ start, end: start + Number(size) });
    return 0;
  };
  withSymbols({ madvise, ...symbols }, dropProgramPages);
  return mappings().filter((mapping) =>
    ranges.some(({ start, end }) => start < mapping.end && mapping.start < end)
  );
}

Deno.test("what is dropped is of the program's file, most of it, and was never written to", () => {
  const dropped = advised();
  const size = dropped.reduce((sum, { start, end }) => sum + end - start, 0);
  assert.ok(size > Deno.statSync(Deno.execPath()).size / 2, `${size} bytes`);
  for (const { file, rights, written } of dropped) {
    assert.equal(file, Deno.execPath());
    assert.ok(!rights.includes("w"), rights);
    assert.equal(written, 0);
  }
});

Deno.test("the process has fewer pages of files after they were dropped, and goes on", () => {
  const pages = () => {
    const status = Deno.readTextFileSync("/proc/self/status");
    return Number(/^RssFile:\s*(\d+) kB$/m.exec(status)?.[1]);
  };
  const before = pages();
  withSymbols({}, dropProgramPages);
  const after = pages();
  assert.ok(after < before, `${after} kB after, ${before} kB before`);
  assert.equal(JSON.stringify(structuredClone({ a: [1] })), '{"a":[1]}');
});

Deno.test("nothing is dropped where the loader tells nothing of the program", () => {
  assert.deepEqual(advised({ getauxval: () => 0n }), []);
});
