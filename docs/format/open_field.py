#!/usr/bin/env python3
"""Opens encrypted fields, from docs/format/fields.md alone. Needs python3-cryptography.

Usage:           open_field.py ROOT_FILE
Standard input:  one JSON object a line, {"place": {"tenant", "table", "column", "row", "subject"}, "value": hexadecimal}
Standard output: for each the plaintext as a JSON string of hexadecimal, or null when it does not open there
"""
import hashlib
import hmac
import json
import struct
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SLOT = 4096


def canonical(*parts):
    parts = [part.encode() if isinstance(part, str) else part for part in parts]
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def expand(key, info, blocks=1):
    output = block = b""
    for number in range(1, blocks + 1):
        block = hmac.new(key, block + info + bytes([number]), hashlib.sha256).digest()
        output += block
    return output


def read_root_file(path):
    """The secrets of the root file by key version."""
    with open(path, "rb") as file:
        image = file.read()
    found = []
    for slot in (image[:SLOT], image[SLOT:]):
        whole = len(slot) == SLOT and hashlib.sha256(slot[:4064]).digest() == slot[4064:]
        if whole and slot[:8] == b"SRROOT1\n":
            generation, length = struct.unpack(">QI", slot[8:20])
            found.append((generation, slot[20 : 20 + length]))
    if not found:
        sys.exit("the root file is damaged")
    keyring = max(found)[1]
    magic, version, _current, _lookup, count = struct.unpack(">4sBIIH", keyring[:15])
    if magic != b"SRKR" or version != 1:
        sys.exit("the root keyring is of an unknown format")
    entries = [struct.unpack(">IQB32s", keyring[at : at + 45]) for at in range(15, 15 + 45 * count, 45)]
    return {number: secret for number, _created, scheme, secret in entries if scheme == 1}


def xaes_key(key, half_nonce):
    """c2sp.org/XAES-256-GCM, the key of AES-256-GCM for the first 12 bytes of a nonce."""
    encrypt = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update
    zero = int.from_bytes(encrypt(bytes(16)), "big")
    mask = ((zero << 1) & (2**128 - 1)) ^ (0x87 if zero >> 127 else 0)
    inputs = [int.from_bytes(bytes([0, counter, 0x58, 0]) + half_nonce, "big") for counter in (1, 2)]
    return b"".join(encrypt((block ^ mask).to_bytes(16, "big")) for block in inputs)


def open_field(roots, place, value):
    if len(value) < 66 or value[0] != 1 or value[1] not in (1, 2):
        return None
    algorithm, version = value[1:2], value[2:6]
    root = roots.get(int.from_bytes(version, "big"))
    if root is None:
        return None
    tenant, subject = place["tenant"] or "", place["subject"] or ""
    table, column = place["table"], place["column"]
    tenant_key = expand(root, canonical("strongroom/tenant/v1", tenant))
    subject_key = expand(tenant_key, canonical("strongroom/subject/v1", subject))
    output = expand(subject_key, canonical("strongroom/column/v1", table, column, algorithm), 2)
    key, commitment = output[:32], output[32:]
    if not hmac.compare_digest(value[6:38], commitment):
        return None
    sealed = value[38:]
    if algorithm == b"\x02":
        key, sealed = xaes_key(key, sealed[:12]), sealed[12:]
    context = canonical(
        "strongroom/field/v1", algorithm, version, tenant, table, column, subject, place["row"]
    )
    try:
        return AESGCM(key).decrypt(sealed[:12], sealed[12:], context)
    except (InvalidTag, ValueError):
        return None


def main():
    roots = read_root_file(sys.argv[1])
    for line in sys.stdin:
        job = json.loads(line)
        plaintext = open_field(roots, job["place"], bytes.fromhex(job["value"]))
        print(json.dumps(None if plaintext is None else plaintext.hex()))


if __name__ == "__main__":
    main()
