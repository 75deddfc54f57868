/**
 * Registers a test that needs what not each machine has. Where something is
 * missing the test is ignored, and its name says why.
 *
 * @param missing Why each thing is not there, null for what is there.
 */
export function testUnless(
  missing: readonly (string | null)[],
  name: string,
  fn: (test: Deno.TestContext) => Promise<void> | void,
): void {
  const reason = missing.find((why) => why !== null);
  Deno.test({
    name: reason === undefined ? name : `${name} (skipped: ${reason})`,
    ignore: reason !== undefined,
    fn,
  });
}
