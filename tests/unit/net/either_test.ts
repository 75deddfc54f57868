import assert from "node:assert/strict";
import { EitherSignal } from "../../../src/net/either.ts";
import { testUnless } from "../../../lab/test_unless.ts";
import { whyNoPrograms } from "../../../lab/missing.ts";

Deno.test("either of two signals aborts, with its reason", () => {
  for (const which of [0, 1]) {
    const ends = [new AbortController(), new AbortController()] as const;
    using either = new EitherSignal(ends[0].signal, ends[1].signal);
    assert.equal(either.signal.aborted, false);
    ends[which]?.abort("why");
    assert.equal(either.signal.aborted, true);
    assert.equal(either.signal.reason, "why");
  }
});

Deno.test("a signal that is aborted already aborts at once", () => {
  const end = new AbortController().signal;
  using either = new EitherSignal(end, AbortSignal.abort("before"));
  assert.equal(either.signal.reason, "before");
});

Deno.test("what is disposed of is not aborted any more", () => {
  const end = new AbortController();
  const either = new EitherSignal(end.signal);
  either[Symbol.dispose]();
  end.abort();
  assert.equal(either.signal.aborted, false);
});

testUnless(
  [whyNoPrograms()],
  "who waits for either of two signals is not forgotten when memory is taken back",
  async () => {
    const module = new URL("../../../src/net/either.ts", import.meta.url);
    const script = `import { EitherSignal } from "${module}";
      const stop = new AbortController();
      async function wait() {
        using either = new EitherSignal(stop.signal, new AbortController().signal);
        await new Promise((over) => either.signal.addEventListener("abort", over));
        console.log("over");
      }
      wait();
      for (let i = 0; i < 5; i++) {
        await new Promise((next) => setTimeout(next, 1));
        globalThis.gc();
      }
      stop.abort();`;
    const path = await Deno.makeTempFile({ suffix: ".ts" });
    try {
      await Deno.writeTextFile(path, script);
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "--no-config",
          "--no-lock",
          "--v8-flags=--expose-gc",
          path,
        ],
        env: { NO_COLOR: "1" },
      }).output();
      assert.equal(new TextDecoder().decode(stdout), "over\n");
    } finally {
      await Deno.remove(path);
    }
  },
);
