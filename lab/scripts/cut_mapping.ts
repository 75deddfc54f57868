/**
 * Maps a file, as the runtime does with its caches, takes the runtime's files
 * away, cuts the file as another process may, and says what is mapped still.
 */
import { takeRuntimeFiles } from "../../ffi/process/descriptors.ts";
import { openProcessLibc } from "../../ffi/process/libc.ts";
import { say } from "./say.ts";

const PAGE = 4096;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MARK = 7;

const libc = openProcessLibc();
const path = Deno.makeTempFileSync();
const file = Deno.openSync(path, { read: true, write: true });
file.writeSync(new Uint8Array(2 * PAGE).fill(MARK));
const fd = [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => name)
  .filter((name) => Number(name) > 2)
  .find((name) => linkOf(name) === path);
const start = libc.process.mmap(
  0n,
  BigInt(2 * PAGE),
  PROT_READ_WRITE,
  MAP_SHARED,
  Number(fd),
  0n,
);
takeRuntimeFiles(libc);
Deno.truncateSync(path, 0);
Deno.removeSync(path);
const mapped = Deno.UnsafePointer.create(start);
if (mapped === null) throw new Error("the file is not mapped");
const view = new Deno.UnsafePointerView(mapped);
say(JSON.stringify([view.getUint8(1), view.getUint8(PAGE + 1)]));

function linkOf(name: string): string | undefined {
  try {
    return Deno.readLinkSync(`/proc/self/fd/${name}`);
  } catch {
    return undefined; // The folder itself is open while it is read.
  }
}
