/**
 * Shows anycast as operators run it: three of our servers announce one address
 * by BGP while they are fit, with BIRD 2, and a client does not notice what
 * befalls them. All of it lives in network namespaces, which are removed at the
 * end.
 *
 * @module
 */
import { BgpLab, CLIENT } from "../lab/bgp_lab.ts";
import { ANYCAST, HOME, SERVERS } from "../lab/bgp_network.ts";
import { EndlessCopy } from "../lab/measure.ts";
import { missingCommand, whyNoLab } from "../lab/missing.ts";
import { oursNative } from "../lab/peers.ts";
import { bird } from "../lab/routing_programs.ts";
import { present, print, row } from "./stage.ts";

/** Bytes per second of the copy that goes on all the time. */
const COPY_PACE = 1_000_000;

async function inLab(interrupted: Promise<number>): Promise<number> {
  await using lab = await BgpLab.open(`demo-bgp${Deno.pid}`, { routing: bird });
  return await Promise.race([interrupted, show(lab)]);
}

async function show(lab: BgpLab): Promise<number> {
  row("servers", `${ANYCAST} while they are fit; anytun takes care of that`);
  row("router", "learns it from them by BGP, and has BFD each 50 ms (BIRD 2)");
  row("client", `${CLIENT} in the tunnel; knows that one address`);
  row("home", `${HOME}, what the client wants to reach`);
  await Promise.all(SERVERS.map((number) => lab.startMember(number)));
  await lab.network.choose(1);
  await lab.startClient(oursNative);
  const flow = await lab.flow();
  await using copying = EndlessCopy.start(lab.client, HOME, COPY_PACE);
  for (const { text, happens, chosen } of STORY) {
    print(`\n${text}`);
    const { there, back } = await flow.during(async () => {
      await happens(lab);
      await lab.network.choose(chosen);
    });
    const sent = there.sent + back.sent;
    const lost = there.lost + back.lost;
    const gap = Math.max(there.gap, back.gap);
    const how = lost === 0 ? "" : `, all of them within ${gap} ms`;
    row("datagrams", `${lost} of ${sent} lost${how}`);
    draw(chosen);
  }
  const { bytes, intact } = await copying.end();
  const megabytes = Math.round(bytes / 1e6);
  const verdict = intact ? "each byte as it was sent" : "NOT INTACT";
  print("");
  row("meanwhile", `one TCP connection copied ${megabytes} MB, ${verdict}`);
  return intact ? 0 : 1;
}

interface Scene {
  /** What the viewer reads before it happens. */
  readonly text: string;
  happens(lab: BgpLab): Promise<unknown>;
  /** The server that the router has chosen in the end. */
  readonly chosen: number;
}

const STORY: readonly Scene[] = [
  {
    text: "All three announce the address; the router has chosen server 1.",
    happens: () => Promise.resolve(),
    chosen: 1,
  },
  {
    text: "'anytun drain' on server 1: it withdraws, and carries what comes.",
    happens: (lab) => tell(lab, 1, "drain"),
    chosen: 2,
  },
  {
    text: "'anytun undrain': it may have traffic again.",
    happens: (lab) => tell(lab, 1, "undrain"),
    chosen: 1,
  },
  {
    text: "Server 1 is restarted (SIGTERM): drained first, then stopped.",
    happens: async (lab) => {
      await lab.daemon(1).stop();
      await lab.network.choose(2);
      await lab.startMember(1);
    },
    chosen: 1,
  },
  {
    text: "'kill -9' on server 1: a guard takes the address away for it.",
    happens: (lab) => lab.daemon(1).stop("SIGKILL"),
    chosen: 2,
  },
  {
    text: "Server 2 hangs (SIGSTOP): the guard waits for 0.7 s, and acts.",
    happens: (lab) => Promise.resolve(Deno.kill(lab.daemon(2).pid, "SIGSTOP")),
    chosen: 3,
  },
  {
    text: "Server 2 goes on, and is trusted again two seconds later.",
    happens: (lab) => Promise.resolve(Deno.kill(lab.daemon(2).pid, "SIGCONT")),
    chosen: 2,
  },
  {
    text: "The cable of server 2 loses everything: BFD notices.",
    happens: (lab) => lab.network.cut(2, "silent"),
    chosen: 3,
  },
];

/** Says something to a server, as its administrator does. */
async function tell(lab: BgpLab, number: number, what: string): Promise<void> {
  const { code, text } = await lab.ask(number, what);
  if (code !== 0) throw new Error(text);
}

function draw(number: number): void {
  const [first, second, third] = SERVERS.map((k) =>
    k === number ? `=== server ${k}` : `    server ${k}`
  );
  print("");
  print(`                     .${first}`);
  print(`    client === router :${second}`);
  print(`            \\       '${third}`);
  print("             home");
}

if (import.meta.main) {
  Deno.exit(
    await present({
      title: "anytun: three servers that announce one address by BGP",
      missing: whyNoLab() ?? bird.missing() ?? missingCommand("sysctl") ??
        oursNative.missing(),
      task: "demo:bgp",
      ending: "All daemons are stopped, and all six hosts are gone again.",
      play: inLab,
    }),
  );
}
