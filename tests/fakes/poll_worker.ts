/// <reference lib="deno.worker" />
/** Blocks until the eventfd is signalled whose number it is sent, and says so. */

import { openLibc } from "../../ffi/libc.ts";
import { Arena } from "../../ffi/memory.ts";
import { FOREVER, PollSet } from "../../ffi/poll.ts";

self.onmessage = ({ data }: MessageEvent<number>) => {
  const libc = openLibc();
  const set = new PollSet(libc, new Arena(1), 1);
  set.add(data);
  self.postMessage("waiting");
  set.wait(FOREVER);
  self.postMessage("woken");
  libc.close();
};
