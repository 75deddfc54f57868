import { ofBinary } from "./cases.ts";
import { testTunnels } from "./tunnel.ts";

testTunnels("i-b", ofBinary);
