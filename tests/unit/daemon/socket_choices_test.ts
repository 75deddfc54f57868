import assert from "node:assert/strict";
import { Errno, SystemError } from "../../../ffi/errno.ts";
import {
  type AnytunOptions,
  readAnytunCommandLine,
} from "../../../src/config/anytun.ts";
import { DeviceAndSockets } from "../../../src/daemon/data_plane.ts";
import type { PlaneBuilder } from "../../../src/tunnel/plane.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { fakeHostFiles } from "../../fakes/host_files.ts";
import { reloadDuringStart } from "../../fakes/services.ts";

function options(...argv: string[]): AnytunOptions {
  const line = ["-D", "-E", "x", ...argv];
  const runtime = { deno: "2.9.6", v8: "15.0" };
  const result = readAnytunCommandLine(line, runtime, fakeHostFiles());
  assert.equal(result.kind, "run");
  return result.options;
}

/** A plane that only notes what is chosen for its sockets. */
class Plane {
  readonly choices: string[] = [];
  mayMark = true;

  builder(): PlaneBuilder {
    const builder: Partial<PlaneBuilder> = {
      description: "a plane",
      senders: 1,
      openDevice: () => ({
        name: "tun7",
        mtu: 1400,
        configure() {},
        openRoutes: () => assert.fail(),
        inside: (work) => work(),
        state: () => assert.fail(),
        isRunning: () => true,
      }),
      bindToAll: () => [],
      setMark: (mark) => {
        if (!this.mayMark) {
          throw new SystemError("mark", "setsockopt", Errno.EPERM);
        }
        this.choices.push(`mark ${mark}`);
      },
      checkMark: () => {
        if (this.mayMark) return;
        throw new SystemError("mark", "setsockopt", Errno.EPERM);
      },
      useClasses: ({ dscp, ecn }) => {
        this.choices.push(`dscp ${dscp}, ecn ${ecn}`);
      },
      [Symbol.dispose]() {},
    };
    return builder as PlaneBuilder;
  }
}

function make(
  argv: readonly string[],
  choosePlane: () => Promise<PlaneBuilder>,
) {
  const logger = recordingLog();
  type World = ConstructorParameters<typeof DeviceAndSockets>[1];
  const world: Partial<World> = { choosePlane, random: (words) => words };
  const ends = new DeviceAndSockets(
    options(...argv),
    world as World,
    logger,
    undefined,
  );
  return { ends, logger };
}

async function started(plane: Plane, ...argv: string[]) {
  const { ends, logger } = make(argv, () => Promise.resolve(plane.builder()));
  const stop = new AbortController().signal;
  await ends.start({ stop, waiting() {}, fail: assert.fail });
  return { ends, logger };
}

Deno.test("a mark that has changed is in force at a HUP, and one that has not is left alone", async () => {
  const plane = new Plane();
  const { ends } = await started(plane, "--mark", "7");
  ends.reload(options("--mark", "7"));
  ends.check(options("--mark", "8"));
  ends.reload(options("--mark", "8", "--dscp", "copy"));
  ends.reload(options());
  assert.deepEqual(plane.choices, [
    ...["dscp off, ecn false", "dscp off, ecn false"],
    ...["dscp copy, ecn true", "mark 8", "dscp off, ecn false", "mark 0"],
  ]);
});

Deno.test("where privileges are gone another mark is a fault, before anything changes", async () => {
  const plane = new Plane();
  const { ends } = await started(plane, "--mark", "7");
  plane.mayMark = false;
  ends.check(options("--mark", "7"));
  assert.throws(() => ends.check(options("--mark", "8")), {
    message: "Cannot change --mark from 7 to 8 (EPERM): that needs " +
      "CAP_NET_ADMIN, which is gone after --username (-u), or a restart of " +
      "the daemon",
  });
});

Deno.test("mark, DSCP and ECN of a HUP during the start are in force afterwards", async () => {
  const plane = new Plane();
  const chosen = Promise.withResolvers<PlaneBuilder>();
  const { ends } = make(["--mark", "7"], () => chosen.promise);
  const end = await reloadDuringStart(ends, {
    before: options("--mark", "7"),
    after: options("--mark", "8", "--dscp", "copy"),
    goOn: () => chosen.resolve(plane.builder()),
  });
  assert.deepEqual(plane.choices, [
    ...["dscp off, ecn false", "dscp copy, ecn true", "mark 8"],
  ]);
  await end();
});
