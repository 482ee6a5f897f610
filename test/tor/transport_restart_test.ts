/** An onion service that starts anew with its keys: it can be reached again, by an address that stays. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assertEquals } from "../_std.ts";
import { describe, it } from "../harness.ts";
import { noTor, onTor } from "./transports.ts";

describe("an onion service that starts anew", () => {
  const options = { skip: noTor, leaks: false as const, timeout: 180_000 };

  it("is reached again at once, though the network still knows where it was", options, async () => {
    const directory = mkdtempSync(join(tmpdir(), "ron-tor-restart-"));
    const addresses = new Set<string>();
    try {
      for (let start = 0; start < 5; start++) {
        await using transport = onTor({
          amnesia: { enabled: false },
          arti: { state_path: join(directory, "state") },
        });
        const listener = await transport.listen({ onConnection: () => {} });
        addresses.add(JSON.stringify(listener.address));
      }
      assertEquals(addresses.size, 1);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
