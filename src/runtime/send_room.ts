/**
 * Whether a Unix socket of Bun takes another byte right now.
 *
 * Bun (1.4.5) drops its close_notify where the kernel has no room for it: the peer would take our end for a
 * cut. So an end waits for room, which no call of the runtime tells of. Over TCP none was lost in a
 * thousand ends before readers that stood still.
 *
 * @module
 */

interface BunFfi {
  dlopen(
    library: string,
    symbols: { poll: { args: readonly string[]; returns: string } },
  ): { symbols: { poll: (...args: unknown[]) => number } };
  ptr(view: Int32Array): unknown;
}

/** `struct pollfd`: the descriptor, then what is asked and what is so in two halves. */
const POLLOUT = 4;

/** Tells whether a descriptor has room, or an error, as then there is nothing to wait for. */
export type HasRoom = (fd: number) => boolean;

/** @returns `undefined` where the C library cannot be called; ends wait for nothing there. */
export async function sendRoom(): Promise<HasRoom | undefined> {
  try {
    const name = "bun:ffi"; // not literally, as other runtimes' tools would look for it
    const { dlopen, ptr } = await import(name) as BunFfi;
    const { symbols } = dlopen("libc.so.6", {
      poll: { args: ["ptr", "u64", "i32"], returns: "i32" },
    });
    const polled = new Int32Array(2);
    return (fd) => {
      polled[0] = fd;
      polled[1] = POLLOUT;
      return symbols.poll(ptr(polled), 1, 0) !== 0;
    };
  } catch {
    return undefined; // no libc of that name
  }
}
