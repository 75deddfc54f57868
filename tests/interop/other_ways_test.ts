import { otherWays } from "./cases.ts";
import { testTunnels } from "./tunnel.ts";

testTunnels("i-w", otherWays);
