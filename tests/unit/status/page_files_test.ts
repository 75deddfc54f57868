import { strict as assert } from "node:assert";
import { pageModule } from "../../../tasks/page.ts";

Deno.test("the module of the page has what is in src/status/page", () => {
  const file = new URL("../../../src/status/page_files.ts", import.meta.url);
  assert.equal(Deno.readTextFileSync(file), pageModule(), "deno task page");
});
