// deno-lint-ignore-file no-console
// A tunnel between two network namespaces, each end in a process of its own.
// As root: deno run -A examples/tunnel.ts
import { Tunnel } from "../mod.ts";

const sh = (script: string) =>
  new Deno.Command("sh", { args: ["-ec", script] }).spawn();

const [end] = Deno.args;
if (end === "left" || end === "right") {
  const [own, other] = end === "left" ? [1, 2] : [2, 1];
  await using tunnel = new Tunnel({
    role: end,
    passphrase: "only an example",
    remote: `192.0.2.${other}:4444`,
    device: { name: "tun0", addresses: [`10.0.0.${own}/24`] },
  });
  tunnel.addEventListener("heard", ({ remote }) => console.log(end, remote));
  await tunnel.start();
  await tunnel.finished;
} else {
  await sh(`ip netns add at-left; ip netns add at-right
    ip link add v0 netns at-left type veth peer v0 netns at-right
    ip -n at-left address add 192.0.2.1/24 dev v0; ip -n at-left link set v0 up
    ip -n at-right address add 192.0.2.2/24 dev v0; ip -n at-right link set v0 up
  `).status;
  const ends = ["left", "right"].map((name) =>
    sh(`exec ip netns exec at-${name} "${Deno.execPath()}" run -A \\
      "${import.meta.filename}" ${name}`)
  );
  await sh(
    `until ip netns exec at-left ping -c 1 -W 1 10.0.0.2; do sleep 1; done
    ip netns exec at-left ping -c 3 -w 20 10.0.0.2`,
  ).status;
  for (const child of ends) child.kill();
  await sh("ip netns delete at-left; ip netns delete at-right").status;
}
