import assert from "node:assert/strict";
import { answeredEchoes, sendEchoes } from "../../lab/echoes.ts";
import type { LabHost } from "../../lab/host.ts";
import type { Lab } from "../../lab/lab.ts";
import { oursNative } from "../../lab/peers.ts";
import type { LabProcess } from "../../lab/process.ts";
import type { SightingReport } from "../../lab/scripts/sightings.ts";
import type { TunnelTask } from "../../lab/scripts/tunnels.ts";
import { labTest } from "../../lab/test_case.ts";
import { until } from "../../lab/until.ts";
import { sha256Text } from "../../src/crypto/sha256.ts";
import { SEQ_RANGE } from "../../src/satp/header.ts";
import { fileOf } from "../../src/state/number_files.ts";
import { TextSeal } from "../../src/state/sealed_text.ts";
import { allIds, formatIds } from "../../src/state/taken_ids.ts";
import { EVERY_SPACE, UsedNumbers } from "../../src/state/used_numbers.ts";
import {
  LEFT,
  PORT,
  RIGHT,
  speakingRight,
  waitingLeft,
} from "../interop/settings.ts";

/** A closing run has 100 of them. */
const KILLS = Number(Deno.env.get("ANYTUN_KILLS") ?? 3);

/** Datagrams of each start that are looked at, at least. */
const SEEN = 500;

const LOAD_PORT = 5000;

/**
 * Of each of some sender ids so many numbers are left: less than a start takes,
 * and all together enough for all of them, also where a busy host lets a daemon
 * live on for seconds once it is to be killed.
 */
const NUMBERS_LEFT = 300;
const SEAL = new TextSeal(sha256Text);
const SOME_IDS = { first: 100, last: 99 + 400 * KILLS };

async function reportOf(looking: LabProcess): Promise<SightingReport> {
  const seen = looking.lines.length;
  await looking.tell("");
  return JSON.parse(await looking.line(/^{/, undefined, seen));
}

async function untilSeen(looking: LabProcess, count: number): Promise<void> {
  await until(
    `${count} datagrams are seen`,
    60,
    async () => (await reportOf(looking)).received >= count,
  );
}

/** Datagrams that came and were not looked at. */
async function overlooked(host: LabHost): Promise<number> {
  const text = await host.exec("cat", "/proc/net/snmp");
  const [names = [], values = []] = text.split("\n")
    .filter((line) => line.startsWith("Udp:"))
    .map((line) => line.split(" "));
  return Number(values[names.indexOf("RcvbufErrors")]);
}

/** Looks at everything that a daemon sends while it is killed again and again. */
async function killUnderLoad(
  lab: Lab,
  looking: LabProcess,
  start: () => Promise<LabProcess>,
): Promise<SightingReport> {
  for (let kill = 0; kill < KILLS; kill++) {
    const { received } = await reportOf(looking);
    const daemon = await start();
    await untilSeen(looking, received + SEEN);
    await daemon.stop("SIGKILL");
  }
  const report = await reportOf(looking);
  assert.equal(await overlooked(lab.left), 0);
  assert.ok(report.received >= KILLS * SEEN);
  assert.equal(report.repeated, 0);
  return report;
}

/** As if all sender ids had been taken, and had sent nearly all that they can. */
function useUp(folder: string): void {
  const used = new UsedNumbers();
  for (const id of someIds()) {
    used.set(EVERY_SPACE, id, SEQ_RANGE - NUMBERS_LEFT);
  }
  Deno.writeFileSync(`${folder}/${fileOf(EVERY_SPACE)}`, used.format(SEAL));
  const taken = formatIds(SEAL, new Set(someIds()));
  Deno.writeFileSync(`${folder}/sender-ids`, taken);
}

function someIds(): readonly number[] {
  const { first, last } = SOME_IDS;
  return Array.from({ length: last - first + 1 }, (_, k) => first + k);
}

/** As if all sender ids had been taken, some of them before all others. */
function takeAllIds(folder: string): void {
  const taken = new Set([...someIds(), ...allIds()]);
  Deno.writeFileSync(`${folder}/sender-ids`, formatIds(SEAL, taken));
}

function startRight(lab: Lab, folder: string, ...options: readonly string[]) {
  const settings = speakingRight(lab);
  const own = ["--state-dir", folder, ...options];
  return oursNative.start(lab.right, {
    ...settings,
    options: [...settings.options, ...own],
  });
}

async function withFolder(
  body: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (
  const { ids, of, senders } of [
    { ids: "7", of: "one sender id", senders: 1 },
    {
      ids: `100-${99 + KILLS}`,
      of: "as many sender ids as there are starts",
      senders: KILLS,
    },
  ]
) {
  labTest(
    `killed under load and started again with ${of}, a daemon sends no number twice`,
    `e-k${ids.charAt(0)}`,
    [oursNative.missing()],
    (lab) =>
      withFolder(async (folder) => {
        const looking = lab.left.script("sightings.ts", "look", `${PORT}`);
        await looking.line(/^looking/);
        lab.right.script("sightings.ts", "load", LEFT, `${LOAD_PORT}`);
        const report = await killUnderLoad(
          lab,
          looking,
          () => startRight(lab, folder, "-s", ids),
        );
        assert.equal(report.senderIds, senders);
      }),
  );
}

labTest(
  "killed while blocks of numbers and sender ids are used up one after the other, a daemon sends no number twice",
  "e-km",
  [oursNative.missing()],
  (lab) =>
    withFolder(async (folder) => {
      const ids = `${SOME_IDS.first}-${SOME_IDS.last}`;
      const start = () => startRight(lab, folder, "-s", ids);
      const looking = lab.left.script("sightings.ts", "look", `${PORT}`);
      await looking.line(/^looking/);
      lab.right.script("sightings.ts", "load", LEFT, `${LOAD_PORT}`);
      const first = await start();
      await untilSeen(looking, 1);
      await first.stop();
      useUp(folder);
      const { senderIds } = await killUnderLoad(lab, looking, start);
      assert.ok(senderIds >= KILLS * Math.floor(SEEN / NUMBERS_LEFT));
    }),
);

labTest(
  "a program with a tunnel that is killed while numbers and sender ids are used up sends no number twice",
  "e-kp",
  [],
  (lab) =>
    withFolder(async (folder) => {
      useUp(folder);
      takeAllIds(folder);
      const task: TunnelTask = {
        options: {
          role: "right",
          port: PORT,
          device: { addresses: [`${RIGHT}/24`] },
          stateDir: folder,
        },
        connections: [{
          mux: 0,
          remote: `${lab.left.ipv4}:${PORT}`,
          windowSize: 0,
          prefixes: [],
        }],
      };
      const start = () =>
        Promise.resolve(lab.right.script("tunnels.ts", JSON.stringify([task])));
      const looking = lab.left.script("sightings.ts", "look", `${PORT}`);
      await looking.line(/^looking/);
      lab.right.script("sightings.ts", "load", LEFT, `${LOAD_PORT}`);
      const { senderIds } = await killUnderLoad(lab, looking, start);
      // Of none there are more: they are those of the folder.
      assert.ok(senderIds >= KILLS * SEEN / NUMBERS_LEFT);
    }),
);

labTest(
  "a daemon that becomes another user, in a jail, keeps what root kept before, and goes on with it",
  "e-ku",
  [oursNative.missing()],
  (lab) =>
    withFolder((jail) =>
      withFolder(async (folder) => {
        const looking = lab.left.script("sightings.ts", "look", `${PORT}`);
        await looking.line(/^looking/);
        lab.right.script("sightings.ts", "load", LEFT, `${LOAD_PORT}`);
        const other = ["-u", "nobody", "-C", jail];
        for (const options of [[], other, other]) {
          const { received } = await reportOf(looking);
          const own = ["-s", "7", ...options];
          const daemon = await startRight(lab, folder, ...own);
          await untilSeen(looking, received + SEEN);
          await daemon.stop(options === other ? "SIGTERM" : "SIGKILL");
          assert.doesNotMatch(daemon.lines.join("\n"), /Cannot keep state/);
        }
        const { repeated, senderIds } = await reportOf(looking);
        assert.deepEqual([repeated, senderIds], [0, 1]);
        const nobody = Deno.statSync(folder).uid;
        assert.notEqual(nobody, 0);
        for (const { name } of Deno.readDirSync(folder)) {
          assert.equal(Deno.statSync(`${folder}/${name}`).uid, nobody, name);
        }
      })
    ),
);

labTest(
  "either end of a tunnel with windows can be killed and started again with the same sender id",
  "e-kw",
  [oursNative.missing()],
  (lab) =>
    withFolder((left) =>
      withFolder(async (right) => {
        const options = ["-w", "1024", "-s", "7"];
        const startLeft = () =>
          oursNative.start(lab.left, {
            ...waitingLeft,
            options: [
              ...waitingLeft.options,
              ...["--state-dir", left, ...options],
            ],
          });
        const [first, other] = [
          await startLeft(),
          await startRight(lab, right, ...options),
        ];
        await lab.right.ping(LEFT);
        await sendEchoes(lab.right, LEFT, 200);
        await other.stop("SIGKILL");
        const again = await startRight(lab, right, ...options);
        await again.line(/added connection remote host/);
        assert.equal(await answeredEchoes(lab.right, LEFT, 20), 20);
        await first.stop("SIGKILL");
        await startLeft();
        await lab.right.ping(LEFT);
        assert.equal(await answeredEchoes(lab.left, RIGHT, 20), 20);
      })
    ),
);
