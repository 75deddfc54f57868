import { withAnytun } from "./cases.ts";
import { testTunnels } from "./tunnel.ts";

testTunnels("i-a", withAnytun);
