import { withOurselves } from "./cases.ts";
import { testTunnels } from "./tunnel.ts";

testTunnels("i-s", withOurselves);
