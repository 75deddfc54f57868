import assert from "node:assert/strict";
import { MSG } from "../../../ffi/flags.ts";
import { SocketPair } from "../../../ffi/net/socket_pair.ts";
import { threadBeat } from "../../../src/tunnel/plane.ts";
import { until } from "../../../lab/until.ts";
import { NativeRig } from "../../fakes/native_rig.ts";
import { libcTest } from "../../fakes/with_libc.ts";
import { paramsOf, secretsOf, usualVector } from "../../vectors/satp.ts";

const VECTOR = usualVector("beat tests");

for (const workers of [1, 2] as const) {
  libcTest(
    `each of ${workers} threads that rest beats from the moment that somebody watches, whatever keeps the main thread`,
    async (libc) => {
      using pair = new SocketPair(libc);
      await using rig = await NativeRig.start({
        ...{ engine: "builtin", workers, role: "left", remote: "home" },
        params: paramsOf(VECTOR),
        secrets: await secretsOf(VECTOR),
      });
      rig.plane.beatTo(pair.near);
      const message = new Uint8Array(16);
      const heard = () => {
        const size = libc.symbols
          .recv(pair.far, message, message.length, MSG.DONTWAIT);
        return new TextDecoder().decode(message.subarray(0, Math.max(0, size)));
      };
      await until("the first beat", 60, () => heard() === threadBeat(0));
      // Without a turn for anything else on this thread.
      const beats = Array.from({ length: workers }, () => 0);
      const names = beats.map((_, thread) => threadBeat(thread));
      for (const end = performance.now() + 30_000; Math.min(...beats) < 3;) {
        const thread = names.indexOf(heard());
        if (thread >= 0) beats[thread] = (beats[thread] ?? 0) + 1;
        assert.ok(performance.now() < end, `${beats} beats`);
      }
      rig.plane.stop();
      await rig.finished;
    },
  );
}
