import { type Libc, openLibc } from "../../ffi/libc.ts";

/** Registers a test that is given the C library, and closes it afterwards. */
export function libcTest(
  name: string,
  body: (libc: Libc) => void | Promise<void>,
): void {
  Deno.test(name, async () => {
    const libc = openLibc();
    try {
      await body(libc);
    } finally {
      libc.close();
    }
  });
}
