/**
 * Throws datagrams at a daemon and watches whether anything comes back. Runs
 * on a host of a lab, as a script: `<own port> <host> <port> <hex>...`.
 *
 * Says `sent` when all are on their way, and `got <hex>` for each datagram
 * that reaches its own port.
 */
import { Buffer } from "node:buffer";
import { say } from "./say.ts";

if (import.meta.main) {
  const [ownPort = "", hostname = "", port = "", ...datagrams] = Deno.args;
  const socket = Deno.listenDatagram({
    hostname: hostname.includes(":") ? "::" : "0.0.0.0",
    port: Number(ownPort),
    transport: "udp",
  });
  for (const hex of datagrams) {
    await socket.send(Buffer.from(hex, "hex"), {
      hostname,
      port: Number(port),
      transport: "udp",
    });
  }
  say("sent");
  for await (const [datagram] of socket) {
    say(`got ${Buffer.from(datagram).toString("hex")}`);
  }
}
