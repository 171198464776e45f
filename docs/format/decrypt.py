#!/usr/bin/env python3
"""Opens stored values, from docs/format/fields.md and keys.md alone. Needs python3-cryptography.

Usage:           decrypt.py ROOT_FILE KEYS_FILE
KEYS_FILE:       JSON, {"nodes": rows of key_nodes, "subjects": rows of subject_keys}, byte strings in hexadecimal
Standard input:  one JSON object a line, {"place": {"tenant", "table", "column", "row", "subject" or "subjects"}, "value": hexadecimal}
Standard output: for each the plaintext as a JSON string of hexadecimal, or null when it does not open there
"""
import base64
import hashlib
import hmac
import json
import struct
import sys

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

def canonical(*parts):
    parts = [part.encode() if isinstance(part, str) else part for part in parts]
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)

def expand(key, info, blocks=1):
    output = block = b""
    for number in range(1, blocks + 1):
        block = hmac.new(key, block + info + bytes([number]), hashlib.sha256).digest()
        output += block
    return output

def open_committed(key_and_commitment, sealed, context, algorithm=1):
    """commitment 32 | nonce | ciphertext | tag, or commitment 32 | Fernet token; None when it does not fit."""
    key, commitment = key_and_commitment[:32], key_and_commitment[32:]
    if not hmac.compare_digest(sealed[:32], commitment):
        return None
    sealed = sealed[32:]
    if algorithm == 3:
        return Fernet(base64.urlsafe_b64encode(expand(key, context))).decrypt(sealed)
    if algorithm == 2:
        key, sealed = xaes_key(key, sealed[:12]), sealed[12:]
    return AESGCM(key).decrypt(sealed[:12], sealed[12:], context)

def xaes_key(key, half_nonce):
    """c2sp.org/XAES-256-GCM, the key of AES-256-GCM for the first 12 bytes of a nonce."""
    encrypt = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update
    zero = int.from_bytes(encrypt(bytes(16)), "big")
    mask = ((zero << 1) & (2**128 - 1)) ^ (0x87 if zero >> 127 else 0)
    inputs = [int.from_bytes(bytes([0, counter, 0x58, 0]) + half_nonce, "big") for counter in (1, 2)]
    return b"".join(encrypt((block ^ mask).to_bytes(16, "big")) for block in inputs)

def read_root_file(path):
    """The root of the key tree, and scheme and secret by key version."""
    with open(path, "rb") as file:
        image = file.read()
    found = []
    for slot in (image[:4096], image[4096:]):
        if len(slot) == 4096 and hashlib.sha256(slot[:4064]).digest() == slot[4064:] and slot[:8] == b"SRROOT1\n":
            generation, length = struct.unpack(">QI", slot[8:20])
            found.append((generation, slot[20 : 20 + length]))
    keyring = max(found)[1]
    form, _revision, _current, _lookup, _tree, tree_secret, count = struct.unpack(">5sQIIQ32sH", keyring[:63])
    assert form == b"SRKR\x02", "the root keyring is of an unknown format"
    entries = [struct.unpack(">IQB32s", keyring[at : at + 45]) for at in range(63, 63 + 45 * count, 45)]
    return tree_secret, {number: (scheme, secret) for number, _created, scheme, secret in entries if scheme != 3}

def unwrap(parent_secret, kind, name, parent, row):
    context = canonical("strongroom/key-tree/v1", kind, name, parent or "", struct.pack(">Q", row["version"]))
    wrapped = bytes.fromhex(row["wrapped"])
    return open_committed(expand(parent_secret, canonical("strongroom/key-tree/node/v1"), 2), wrapped[1:], context)

def read_tree(root, path):
    """The secret of every person in the tree."""
    with open(path, encoding="utf-8") as file:
        rows = json.load(file)
    nodes = {}
    for row in sorted(rows["nodes"], key=lambda row: -row["level"]):
        kind, parent = ("leaf", nodes[row["parent"]]) if row["parent"] else ("branch", root)
        nodes[row["id"]] = unwrap(parent, kind, row["id"], row["parent"], row)
    people = {row["subject"]: row for row in rows["subjects"] if row["leaf"]}
    return {name: unwrap(nodes[row["leaf"]], "subject", name, row["leaf"], row) for name, row in people.items()}

def open_field(versions, people, place, column, subject, value):
    """Format 1."""
    number, version, where = value[1:2], value[2:6], (place["tenant"] or "", place["table"], column)
    scheme, root = versions[struct.unpack(">I", version)[0]]
    key = expand(expand(root, canonical("strongroom/tenant/v1", where[0])), canonical("strongroom/subject/v1", subject))
    if subject and scheme == 2:
        key = expand(people[subject], canonical("strongroom/subject/v2", key))
    key = expand(key, canonical("strongroom/column/v1", *where[1:], number), 2)
    context = canonical("strongroom/field/v1", number, version, *where, subject, place["row"])
    return open_committed(key, value[6:], context, number[0])

def open_value(versions, people, place, value):
    if value[0] == 1:
        return open_field(versions, people, place, place["column"], place["subject"] or "", value)
    head = value[: 7 + 92 * value[6]]
    for subject in (person for person in place["subjects"] if person in people):
        for wrap in (b"\x01\x01" + head[2:6] + head[at : at + 92] for at in range(7, len(head), 92)):
            value_key = open_field(versions, people, place, place["column"] + "#key", subject, wrap)
            if value_key is not None:
                label = ["strongroom/shared-value/v1"] if value[1] == 1 else ["strongroom/shared-value/v2", value[1:2]]
                where = (place["tenant"] or "", place["table"], place["column"], place["row"])
                context = canonical("strongroom/shared/v1", head, *where)
                return open_committed(expand(value_key, canonical(*label), 2), value[len(head) :], context, value[1])
    return None

def main():
    tree_secret, versions = read_root_file(sys.argv[1])
    people = read_tree(tree_secret, sys.argv[2])
    for line in sys.stdin:
        job = json.loads(line)
        try:
            plaintext = open_value(versions, people, job["place"], bytes.fromhex(job["value"]))
        except (KeyError, IndexError, ValueError, InvalidTag, InvalidToken, struct.error):
            plaintext = None
        print(json.dumps(None if plaintext is None else plaintext.hex()))

if __name__ == "__main__":
    main()
