import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import { deferred } from "../../src/deferred.ts";
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
    String,
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

  describe("ends when all is with the system", () => {
    class Request {
      oncomplete?: (...status: unknown[]) => void;
    }

    /** Ends TLS over a handle that answers so when it is asked to shut down; gives what it was asked. */
    function end(answers: readonly (number | "gone")[]) {
      const asked: Request[] = [];
      const shutdown = (request: Request): number => {
        asked.push(request);
        return answers[asked.length - 1] as number;
      };
      const under = Object.defineProperty(new EventEmitter(), "_handle", {
        get: () => answers[asked.length] === "gone" ? null : { shutdown },
      });
      const secure = Object.assign(new EventEmitter(), {
        _handle: {
          shutdown(request: Request): number {
            request.oncomplete!(0); // at once, as Deno
            return 0;
          },
        },
      });
      denoLay(
        secure as unknown as TLSSocket,
        under as unknown as Socket,
        {},
        new Windows(),
        (code) => ({ [-114]: "EALREADY", [-107]: "ENOTCONN" })[code]!,
      );
      const request = new Request();
      const done = deferred<unknown[]>();
      request.oncomplete = (...status) => done.resolve(status);
      assertEquals(secure._handle.shutdown(request), 0);
      return { asked, done: done.promise };
    }

    it("which the handle below says later", async () => {
      const { asked, done } = end([0]);
      assertEquals(asked.length, 1);
      assertEquals(await Promise.race([done, delay(20, "waits")]), "waits");
      asked[0]!.oncomplete!(0);
      assertEquals(await done, [0]);
    });

    it("which is looked for while it is under way", async () => {
      const { asked, done } = end([-114, -114, -107]);
      assertEquals(await done, [0]);
      assertEquals(asked.length, 3);
    });

    it("or the socket is gone", async () => {
      const { asked, done } = end([-114, "gone"]);
      assertEquals(await done, [0]);
      assertEquals(asked.length, 1);
      assertEquals(await end(["gone"]).done, [0]);
    });

    it("or it has ended before", async () => {
      for (const code of [1, -107]) assertEquals(await end([code]).done, [0]);
    });
  });
});
