// Longer texts on the options about speed.
import type { Texts } from "../texts.ts";

export default {
  "engine": `Where cryptography comes from: "ipsec-mb" is libIPSec_MB beside
    libcrypto, "openssl" the system's libcrypto alone, "builtin" WebAssembly of
    this program, "webcrypto" the runtime's, on the portable data plane. "auto",
    the default, takes the first of these that is there, but for "webcrypto".
    The log of the start says which it is. All of them make the same datagrams.`,
  "workers": `Threads that carry packets, 1 to 64. One connection uses one of
    them, or two; several connections (--sync-hosts, --control-host) share them:
    each comes in at one, and each flow goes out by one. "auto", the default, is
    1 where there are no more than two processors, else 2, or with several
    connections as many as there are processors, up to 8. To send with all of
    them, give as many sender ids (--sender-id). Each further one takes about 15
    MiB.`,
  "offload": `What the kernel may do for the native data plane, separated by
    commas: "tso" and "uso" (the device hands over several packets of TCP or UDP
    at once), "gso" and "gro" (datagrams are sent or received several at once)
    and "coalesce" (packets are written to the device several at once); "all",
    the default, or "none". Take some away to find out whether one of them is
    to blame.`,
} satisfies Texts;
