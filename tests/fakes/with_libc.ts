import { type Libc, openLibc } from "../../ffi/libc.ts";
import { openProcessLibc, type ProcessLibc } from "../../ffi/process/libc.ts";
import { testUnless } from "../../lab/test_unless.ts";

/** Registers a test that is given the C library, and closes it afterwards. */
export function libcTest(
  name: string,
  body: (libc: Libc) => void | Promise<void>,
  missing: string | null = null,
): void {
  testUnless([missing], name, async () => {
    const libc = openLibc();
    try {
      await body(libc);
    } finally {
      libc.close();
    }
  });
}

/** Registers a test with the functions for files, and an empty folder. */
export function fileTest(
  name: string,
  body: (libc: ProcessLibc, folder: string) => unknown,
): void {
  Deno.test(name, async () => {
    const libc = openProcessLibc();
    const folder = Deno.makeTempDirSync();
    try {
      await body(libc, folder);
    } finally {
      Deno.removeSync(folder, { recursive: true });
      libc.close();
    }
  });
}
