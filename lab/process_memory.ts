/** Search of all that a process has in memory, as in a core dump. */
import { Buffer } from "node:buffer";

const PAGE = 4096;
/** In pages. */
const CHUNK = 4096;
/** proc_pid_pagemap(5): a page is there, or swapped out. */
const PRESENT = 3n << 62n;

/** @returns Where each needle was found, as `<address> <mapping>` */
export function searchMemory(
  pid: number,
  needles: ReadonlyMap<string, Uint8Array>,
): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { at, bytes, name } of runsOf(pid)) {
    for (const [title, needle] of needles) {
      for (const place of placesIn(bytes, needle)) {
        const hits = found.get(title) ?? [];
        hits.push(`${(at + place).toString(16)} ${name}`);
        found.set(title, hits);
      }
    }
  }
  return found;
}

function* placesIn(bytes: Buffer, needle: Uint8Array): Iterable<number> {
  let at = bytes.indexOf(needle);
  for (; at >= 0; at = bytes.indexOf(needle, at + 1)) yield at;
}

/** Pages in a row that are there. */
function* runsOf(pid: number) {
  using memory = Deno.openSync(`/proc/${pid}/mem`);
  using pagemap = Deno.openSync(`/proc/${pid}/pagemap`);
  for (const { from, to, name } of mappings(pid)) {
    for (let at = from; at < to; at += CHUNK * PAGE) {
      const pages = Math.min(CHUNK, (to - at) / PAGE);
      const entries = new BigUint64Array(pages);
      readAt(pagemap, at / PAGE * 8, new Uint8Array(entries.buffer));
      const isThere = (page: number) =>
        page < pages && ((entries[page] ?? 0n) & PRESENT) !== 0n;
      for (let page = 0; page < pages; page++) {
        const first = page;
        while (isThere(page)) page++;
        if (page === first) continue;
        const bytes = Buffer.alloc((page - first) * PAGE);
        readAt(memory, at + first * PAGE, bytes);
        yield { at: at + first * PAGE, bytes, name };
      }
    }
  }
}

function* mappings(pid: number) {
  for (const line of Deno.readTextFileSync(`/proc/${pid}/maps`).split("\n")) {
    const [range = "", rights = "", , , , name = ""] = line.split(/\s+/);
    const [from = NaN, to = NaN] = range.split("-").map((it) =>
      Number.parseInt(it, 16)
    );
    // Of the kernel, at addresses that are no safe integers, or not memory.
    if (!rights.startsWith("r") || name.startsWith("[v")) continue;
    if (Number.isSafeInteger(to)) yield { from, to, name };
  }
}

function readAt(file: Deno.FsFile, at: number, bytes: Uint8Array): void {
  file.seekSync(at, Deno.SeekMode.Start);
  let length = 0;
  while (length < bytes.length) {
    const count = file.readSync(bytes.subarray(length));
    if (count === null) return;
    length += count;
  }
}
