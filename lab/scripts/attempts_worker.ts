/** Makes the attempts whenever it is asked. */
/// <reference lib="deno.worker" />
import { attempts } from "./attempts.ts";

self.onmessage = () => self.postMessage(attempts());
