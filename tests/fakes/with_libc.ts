import { type Libc, openLibc } from "../../ffi/libc.ts";
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
