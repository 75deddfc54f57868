#!/usr/bin/env python3
"""Known answers of the key chain, by Python's hmac: prints data/key_chain.json.

It shares no code with the program: HKDF (RFC 5869) is written out here.
"""
import hashlib
import hmac
import json
import struct


def hkdf(ikm, info, length):
    prk = hmac.new(bytes(32), ikm, hashlib.sha256).digest()
    okm, block, count = b"", b"", 0
    while len(okm) < length:
        count += 1
        block = hmac.new(prk, block + info + bytes([count]), hashlib.sha256).digest()
        okm += block
    return okm[:length]


def epochs(interval, first, chain, steps):
    for epoch in range(first, first + steps):
        yield {
            "epoch": epoch,
            "chain": chain.hex(),
            "keys": {
                str(n): hkdf(chain, b"anytun chain 1 key", n).hex()
                for n in (16, 24, 32)
            },
            "salt": hkdf(chain, b"anytun chain 1 salt", 14).hex(),
        }
        step = b"anytun chain 1 step" + struct.pack(">I", interval)
        chain = hkdf(chain, step, 32)


CHAINS = [
    (3600, 493210, bytes(range(32))),
    (60, 0, bytes(32)),
    (2592000, 684, bytes([255] * 32)),
]

print(json.dumps(
    [
        {"interval": interval, "epochs": list(epochs(interval, first, chain, 4))}
        for interval, first, chain in CHAINS
    ],
    indent=1,
))
