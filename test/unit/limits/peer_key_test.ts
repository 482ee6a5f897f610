/** By what a peer is known: an IPv4 address, an IPv6 /64, a user; never a name. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { peerKey, uidKey } from "../../../src/limits/peer_key.ts";
import { describe, it } from "../../harness.ts";

const SEED = 20_261_125;

describe("peer key", () => {
  it("is an IPv4 address, however it is written", () => {
    for (const address of ["127.0.0.1", "0.0.0.0", "255.255.255.255", "10.20.199.249"]) {
      assert.equal(peerKey(address), address);
      assert.equal(peerKey(`::ffff:${address}`), address);
      assert.equal(peerKey(`::FFFF:${address}`), address);
      assert.equal(peerKey(`0:0:0:0:0:ffff:${address}`), address);
    }
    assert.equal(peerKey("::ffff:7f00:1"), "127.0.0.1");
    assert.equal(peerKey("::ffff:c0a8:ff01"), "192.168.255.1");
  });

  it("is the first 64 bits of an IPv6 address, without the zone", () => {
    assert.equal(peerKey("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2");
    assert.equal(peerKey("2001:db8:1:2::"), "2001:db8:1:2");
    assert.equal(peerKey("2001:0DB8:0001:0002:ffff:ffff:ffff:ffff"), "2001:db8:1:2");
    assert.equal(peerKey("fe80::1%eth0"), "fe80:0:0:0");
    assert.equal(peerKey("fe80::2%1"), "fe80:0:0:0");
    assert.equal(peerKey("::1"), "0:0:0:0");
    assert.equal(peerKey("::"), "0:0:0:0");
    assert.equal(peerKey("1::"), "1:0:0:0");
    assert.equal(peerKey("1:2:3:4:5:6:7::"), "1:2:3:4");
    assert.equal(peerKey("64:ff9b::192.0.2.1"), "64:ff9b:0:0");
    assert.equal(peerKey("::1.2.3.4"), "0:0:0:0"); // not mapped: deprecated, and not IPv4
    assert.equal(peerKey("::fffe:1.2.3.4"), "0:0:0:0");
    assert.equal(peerKey("1::ffff:1.2.3.4"), "1:0:0:0");
    assert.equal(peerKey("1::5:6:7:8:9"), "1:0:0:5");
    assert.equal(peerKey("1:2::5:6:7:8:9"), "1:2:0:5");
  });

  it("is nothing for what is no IP address", () => {
    const bad = [
      ...["", " ", "localhost", "example.org", "a.b.c.d", "1", "1.2.3", "1.2.3.4.5", "1.2.3."],
      ...["1.2.3.4.", ".1.2.3.4", "256.1.1.1", "1.2.3.256", "01.2.3.4", "1.2.3.04", "001.2.3.4"],
      ...["-1.2.3.4", "1.2.3.4 ", "0x7f.0.0.1", "127.1"],
      ...[":", ":::", ":1", "1:", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::"],
      ...["g::", "1:2:3:4:5:6:7:8::", "1.2.3.4::", "1.2.3.4::1", "::1.2.3", "::1.2.3.4:5"],
      ...["1:2:3:4::5:6:7:8", "1:2:3:4:5::1:2:3:4:5", "::1:2:3:4:5:6:7:8"],
      ...["[::1]", "::ffff:1.2.3.400"],
    ];
    for (const text of bad) assert.equal(peerKey(text), undefined, JSON.stringify(text));
  });

  it("is the same for any spelling of an address, and another one for another /64", () => {
    const group = fc.integer({ min: 0, max: 0xffff });
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), fc.nat(7), (groups, at) => {
        const hex = groups.map((n) => n.toString(16));
        const expected = hex.slice(0, 4).join(":");
        const key = peerKey(hex.join(":"));
        if (!(groups.slice(0, 5).every((n) => n === 0) && groups[5] === 0xffff)) {
          assert.equal(key, expected);
        }
        assert.equal(peerKey(groups.map((n) => n.toString(16).padStart(4, "0")).join(":")), key);
        const other = groups.with(at, groups[at]! ^ 1).map((n) => n.toString(16)).join(":");
        if (groups.some((n, i) => i < 4 && n > 1)) assert.equal(peerKey(other) === key, at >= 4);
      }),
      { numRuns: 200, seed: SEED, verbose: true },
    );
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        assert.equal(peerKey(address), address);
        assert.equal(peerKey(`::ffff:${address}`), address);
      }),
      { numRuns: 200, seed: SEED, verbose: true },
    );
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        assert.notEqual(peerKey(address), undefined);
      }),
      { numRuns: 200, seed: SEED, verbose: true },
    );
  });

  it("of a user is no address", () => {
    assert.equal(uidKey(1000), "uid 1000");
    assert.equal(peerKey(uidKey(1000)), undefined);
  });
});
