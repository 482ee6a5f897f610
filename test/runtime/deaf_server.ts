/**
 * A server to be started by tests: it listens and never accepts, as a host does that hangs.
 *
 * @module
 */

import { type AddressInfo, createServer } from "node:net";

const server = createServer();
server.listen({ host: "127.0.0.1", port: 0, backlog: 1 }, () => {
  console.log((server.address() as AddressInfo).port);
  // After what was written is out: this thread never goes on.
  setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0), 50);
});
