import { originals } from "./cases.ts";
import { testTunnels } from "./tunnel.ts";

testTunnels("i-o", originals);
