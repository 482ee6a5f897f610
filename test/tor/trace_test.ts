import { describe, it } from "../harness.ts";
import { assertEquals } from "../_std.ts";
import { readTrace } from "./trace.ts";

const RECORD = `
10 execve("/usr/bin/node", ["node", "x.js"], 0x7f /* 20 vars */) = 0
10 openat(AT_FDCWD</home/a>, "notes", O_RDONLY|O_CLOEXEC) = 3</home/a/notes>
10 openat(AT_FDCWD</home/a>, "made", O_WRONLY|O_CREAT|O_EXCL, 0600) = 3</home/a/made>
10 openat(AT_FDCWD</home/a>, "refused", O_WRONLY|O_CREAT, 0600) = -1 EACCES (Permission denied)
10 clone3({flags=CLONE_VM|CLONE_FS|CLONE_THREAD, stack=0x7f}, 88) = 11
11 openat(7</dev/shm/x>, "state", O_RDWR|O_CREAT <unfinished ...>
10 mkdir("/tmp/d", 0700)       = 0
11 <... openat resumed>, 0600) = 8</dev/shm/x/state>
11 rename("/dev/shm/x/a.tmp", "/dev/shm/x/a") = 0
11 renameat2(7</dev/shm/x>, "b.tmp", 7</dev/shm/x>, "b", 0) = 0
11 unlink("guards.tmp")        = -1 ENOENT (No such file or directory)
11 unlinkat(7</dev/shm/x>, "state", 0) = 0
11 listen(9<socket:[1]>, 128)  = 0
11 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD) = 12
12 execve("/bin/true", ["true"], 0x7f /* 20 vars */) = 0
12 +++ exited with 0 +++
`;

describe("readTrace", () => {
  it("finds what was written, removed, started and listened on", () => {
    assertEquals(readTrace(RECORD, "/home/a"), {
      written: ["/home/a/made", "/tmp/d", "/dev/shm/x/state", "/dev/shm/x/a", "/dev/shm/x/b"],
      removed: ["/dev/shm/x/a.tmp", "/dev/shm/x/b.tmp", "/dev/shm/x/state"],
      started: [
        "clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD)",
        'execve("/bin/true", ["true"], 0x7f /* 20 vars */)',
      ],
      listened: ["9<socket:[1]>, 128"],
    });
  });
});
