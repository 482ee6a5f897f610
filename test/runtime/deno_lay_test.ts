import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { denoLay } from "../../src/runtime/deno_lay.ts";
import { Windows } from "../../src/runtime/deno_windows.ts";
import { assertEquals } from "../_std.ts";
import { describe, it } from "../harness.ts";

interface Laid {
  readonly calls: string[];
  hold(on: boolean): void;
}

/** TLS over a socket that has the handle given, and what holding its reading back calls. */
function lay(handle: (calls: string[]) => object | null): Laid {
  const calls: string[] = [];
  const secure = Object.assign(new EventEmitter(), {
    pause: () => void calls.push("pause TLS"),
    resume: () => void calls.push("resume TLS"),
  });
  const under = Object.assign(new EventEmitter(), { _handle: handle(calls) });
  const below = denoLay(
    secure as unknown as TLSSocket,
    under as unknown as Socket,
    {},
    new Windows(),
  );
  return { calls, hold: (on) => below.hold!(on) };
}

describe("TLS on Deno's socket", () => {
  it("holds reading back by the socket's handle", () => {
    const { calls, hold } = lay((calls) => ({
      readStop: () => calls.push("stop"),
      readStart: () => calls.push("start"),
    }));
    hold(true);
    hold(false);
    assertEquals(calls, ["stop", "start"]);
  });

  it("pauses TLS where the handle has no such members, so that memory stays bounded", () => {
    const { calls, hold } = lay(() => ({}));
    hold(true);
    hold(false);
    assertEquals(calls, ["pause TLS", "resume TLS"]);
  });

  it("leaves TLS alone once the socket is closed, as its end would be lost", () => {
    const { calls, hold } = lay(() => null);
    hold(true);
    hold(false);
    assertEquals(calls, []);
  });
});
