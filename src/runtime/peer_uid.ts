/**
 * The user at the other end of a Unix socket, by SO_PEERCRED.
 *
 * No runtime has a call for it. Deno and Bun can call into the C library; Node cannot.
 *
 * @module
 */

type UidReader = (fd: number | undefined) => number | null;

/** The reader, or what the runtime lacks. */
type UidAccess =
  | { readonly read: UidReader; readonly lack?: undefined }
  | { readonly read?: undefined; readonly lack: string };

/** Tells users, once it is loaded and where it can. */
export class PeerUids {
  readonly #runtime: "deno" | "bun" | "node";
  #access: UidAccess | undefined;

  /** @param runtime Which one. */
  constructor(runtime: "deno" | "bun" | "node") {
    this.#runtime = runtime;
  }

  /** Finds out, once. @returns What the runtime lacks, if anything. */
  async load(): Promise<string | undefined> {
    this.#access ??= await uidAccess(this.#runtime);
    return this.#access.lack;
  }

  /**
   * The user at the other end of a connected Unix socket.
   *
   * @param fd Its descriptor.
   * @returns `undefined` where the runtime cannot tell, `null` where it can and failed to.
   */
  of(fd: number | undefined): number | null | undefined {
    return this.#access?.read?.(fd);
  }
}

/** Numbers of Linux, on the machines that Deno and Bun run on. */
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const LIBRARY = "libc.so.6";

/** Fills `credentials` (process, user, group) and returns 0, or something else. */
type GetSockOpt = (fd: number, credentials: Uint32Array, length: Uint32Array) => number;

/** Finds out whether the runtime can tell, without asking anyone for a permission. */
async function uidAccess(runtime: "deno" | "bun" | "node"): Promise<UidAccess> {
  if (runtime === "node") return { lack: "Node has no call for SO_PEERCRED, and no FFI" };
  const { platform } = (await import("node:process")).default;
  if (platform !== "linux") return { lack: "they are read by SO_PEERCRED, which is Linux's" };
  try {
    return await (runtime === "deno" ? denoAccess() : bunAccess());
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { lack: `the C library ${LIBRARY} cannot be called (${why})` };
  }
}

function readerOf(getSockOpt: GetSockOpt): UidReader {
  const credentials = new Uint32Array(3);
  const length = new Uint32Array(1);
  return (fd) => {
    if (fd === undefined || fd < 0) return null;
    length[0] = credentials.byteLength;
    const failed = getSockOpt(fd, credentials, length) !== 0;
    return failed || length[0] !== credentials.byteLength ? null : credentials[1]!;
  };
}

interface DenoFfi {
  dlopen(
    library: string,
    symbols: { getsockopt: { parameters: readonly string[]; result: string } },
  ): { symbols: { getsockopt: (...args: unknown[]) => number } };
  permissions: { query(what: { name: string }): Promise<{ state: string }> };
}

async function denoAccess(): Promise<UidAccess> {
  const { Deno } = globalThis as unknown as { Deno: DenoFfi };
  // Asked first: to call would ask whoever sits at the terminal.
  if ((await Deno.permissions.query({ name: "ffi" })).state !== "granted") {
    return { lack: "the permission --allow-ffi is not given" };
  }
  const { symbols } = Deno.dlopen(LIBRARY, {
    getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  });
  return {
    read: readerOf((fd, credentials, length) =>
      symbols.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, length)
    ),
  };
}

interface BunFfi {
  dlopen(
    library: string,
    symbols: { getsockopt: { args: readonly string[]; returns: string } },
  ): { symbols: { getsockopt: (...args: unknown[]) => number } };
  ptr(view: Uint32Array): unknown;
}

async function bunAccess(): Promise<UidAccess> {
  const name = "bun:ffi"; // not literally, as other runtimes' tools would look for it
  const { dlopen, ptr } = await import(name) as BunFfi;
  const { symbols } = dlopen(LIBRARY, {
    getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
  });
  return {
    read: readerOf((fd, credentials, length) =>
      symbols.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ptr(credentials), ptr(length))
    ),
  };
}
