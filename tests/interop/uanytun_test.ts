import { withUanytun } from "./cases.ts";
import { testTunnels } from "./tunnel.ts";

testTunnels("i-u", withUanytun);
