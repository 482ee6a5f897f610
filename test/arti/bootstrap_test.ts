/** Readiness follows the bootstrap, and what depends on it is refused until then. */
import { Transport, type TransportConfig, TransportError, type TransportHooks } from "../../mod.ts";
import { arti } from "../../src/arti/mod.ts";
import { ArtiStandIn, ManualClock } from "../../src/testing/mod.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "../_std.ts";
import { countedSignal, describe, it } from "../harness.ts";

const TOR: TransportConfig = { backend: "arti", amnesia: { enabled: true } };

/** A transport with its transitions. */
function watched(
  tor: ArtiStandIn,
  config: TransportConfig = TOR,
  hooks: TransportHooks = {},
): { transport: Transport; seen: string[]; clock: ManualClock } {
  const clock = new ManualClock();
  const seen: string[] = [];
  const transport = new Transport(config, {
    clock,
    arti: arti({ addon: tor }),
    onReadiness: ({ to }) => seen.push(to.state === "Ready" ? "Ready" : `${to.state} ${to.reason}`),
    ...hooks,
  });
  return { transport, seen, clock };
}

async function refusal(promise: Promise<unknown>): Promise<TransportError> {
  const error = await promise.then(() => undefined, (error: unknown) => error);
  assert(TransportError.is(error), `no TransportError: ${error}`);
  return error;
}

const turn = (): Promise<void> => new Promise((next) => setTimeout(next, 0));

describe("bootstrap", () => {
  it("is Degraded, then Ready, once each", async () => {
    const tor = new ArtiStandIn();
    const progress: number[] = [];
    const { transport, seen } = watched(tor, TOR, {
      onBootstrap: ({ fraction }) => progress.push(fraction),
    });
    assertEquals(seen, ["Degraded arti_bootstrap"]);
    await tor.started(1);
    tor.progress({ fraction: 0.5, ready: false, summary: "half" });
    tor.succeed();
    await turn();
    tor.progress({ fraction: 1, ready: false, summary: "lost its network" });
    tor.progress({ fraction: 1, ready: true, summary: "and found it" });
    assertEquals(seen, ["Degraded arti_bootstrap", "Ready"]);
    assertEquals(progress, [0.5, 1, 1, 1]);
    await transport.close();
    assertEquals(tor.open, 0);
  });

  it("is NotReady at its timeout, and Ready when it comes late", async () => {
    const tor = new ArtiStandIn();
    const config = { ...TOR, arti: { bootstrap_timeout: "3s" } };
    const { transport, seen, clock } = watched(tor, config);
    await tor.started(1);
    clock.advance(2_999);
    assertEquals(seen, ["Degraded arti_bootstrap"]);
    clock.advance(1);
    assertEquals(seen, ["Degraded arti_bootstrap", "NotReady arti_bootstrap"]);
    tor.progress({ fraction: 0.15, ready: false, blocked: "no directory answers", summary: "" });
    const late = await refusal(transport.dial("example.org:80"));
    assertEquals(late.kind, "arti_bootstrap");
    assertMatch(late.message, /3000 ms \(arti\.bootstrap_timeout\), 15 % .*no directory answers/);
    assertEquals((await refusal(transport.listen())).kind, "arti_bootstrap");
    tor.succeed();
    await turn();
    assertEquals(seen.slice(2), ["Ready"]);
    const listener = await transport.listen();
    assertMatch(listener.address.hostname ?? "", /^[a-z2-7]{56}\.onion$/);
    assertEquals(listener.address.port, 7_000);
    await transport.close();
  });

  it("refuses dials before it is done, each counted once", async () => {
    const tor = new ArtiStandIn();
    const { transport } = watched(tor);
    const error = await refusal(transport.dial("example.org:80"));
    assertEquals([error.kind, error.retry], ["arti_bootstrap", "later"]);
    const { rejected, dialsErr } = transport.counters();
    assertEquals([rejected.arti_bootstrap, dialsErr], [1, 1]);
    await transport.close();
  });

  it("a listener waits for it, until the timeout, its signal or the close", async () => {
    const tor = new ArtiStandIn();
    const { transport, clock } = watched(tor);
    const { signal, controller } = countedSignal();
    const aborted = refusalOf(transport.listen({ signal }));
    const late = refusal(transport.listen({ address: "arti://late:1" }));
    await tor.started(1);
    const reason = new Error("not now");
    controller.abort(reason);
    assertEquals(await aborted, reason);
    clock.advance(30_000);
    assertEquals((await late).kind, "arti_bootstrap");
    const other = watched(new ArtiStandIn()).transport;
    const closed = refusal(other.listen());
    await other.close();
    assertEquals((await closed).kind, "misuse");
    await transport.close();
  });

  it("that fails for good says why, and what to do", async () => {
    for (
      const [code, words] of [
        ["NotTmpfs", /name one on a tmpfs/],
        ["Swap", /turn swap off/],
        ["Unsupported", /amnesia needs Linux/],
        ["InvalidConfig", /arti\.config_path/],
      ] as const
    ) {
      const tor = new ArtiStandIn();
      tor.refuseStart(code);
      const { transport, seen } = watched(tor);
      const error = await refusal(transport.listen());
      assertEquals(error.kind, "config_invalid", code);
      assertMatch(error.message, words);
      assertEquals(seen, ["Degraded arti_bootstrap", "NotReady arti_bootstrap"]);
      assertEquals((await refusal(transport.dial("example.org:80"))).kind, "config_invalid");
      await transport.close();
    }
  });

  it("under way is given up by a close, with the client", async () => {
    const tor = new ArtiStandIn();
    const { transport, seen } = watched(tor);
    await transport.close();
    assertEquals(tor.open, 0);
    tor.succeed();
    await turn();
    assertEquals(seen, ["Degraded arti_bootstrap", "NotReady draining"]);
    await assertRejects(() => transport.dial("example.org:80"), TransportError);
  });
});

async function refusalOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(() => undefined, (error: unknown) => error);
}
