/**
 * Registers a test that needs what not each machine has. Where something is
 * missing the test is ignored, and its name says why.
 *
 * @param missing Why each thing is not there, null for what is there.
 * @param options What else the runner is told of it.
 */
export function testUnless(
  missing: readonly (string | null)[],
  name: string,
  fn: (test: Deno.TestContext) => Promise<void> | void,
  options: Omit<Deno.TestDefinition, "fn" | "ignore" | "name"> = {},
): void {
  const reason = missing.find((why) => why !== null);
  Deno.test({
    ...options,
    name: reason === undefined ? name : `${name} (skipped: ${reason})`,
    ignore: reason !== undefined,
    fn,
  });
}
