// Changes of an engine as it sends them, and the clients that are in them.
import { strict as assert } from "node:assert";
