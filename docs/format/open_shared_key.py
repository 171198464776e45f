#!/usr/bin/env python3
"""Opens a space key that another member shared, and says a fingerprint, from docs/format/sealing.md and RFC 9180 alone.

Standard input:  {"space", "epoch", "shared": base64url, "sender": {"account", "publicKey": base64url},
                  "recipient": {"account", "publicKey": base64url}, "privateKey": base64url of algorithm byte and private key}
Standard output: {"spaceKey": base64url, "fingerprint": of the sender}
Exits 1 with one line on standard error when it does not open. Needs python3-cryptography.
"""
import base64
import hashlib
import hmac
import json
import struct
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MODE_AUTH = 0x02
KEM = b"KEM" + struct.pack(">H", 0x0020)  # DHKEM(X25519, HKDF-SHA256)
SUITE = b"HPKE" + struct.pack(">HHH", 0x0020, 0x0001, 0x0002)  # with HKDF-SHA256 and AES-256-GCM


def from_base64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def to_base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def length_prefixed(*parts):
    encoded = [part.encode() if isinstance(part, str) else part for part in parts]
    return b"".join(struct.pack(">I", len(part)) + part for part in encoded)


def labeled_extract(suite, salt, label, secret):
    return hmac.new(salt or bytes(32), b"HPKE-v1" + suite + label + secret, hashlib.sha256).digest()


def labeled_expand(suite, key, label, info, length):
    text = struct.pack(">H", length) + b"HPKE-v1" + suite + label + info
    output, block, counter = b"", b"", 1
    while len(output) < length:
        block = hmac.new(key, block + text + bytes([counter]), hashlib.sha256).digest()
        output, counter = output + block, counter + 1
    return output[:length]


def auth_decap(encapsulated, recipient_private, recipient_public, sender_public):
    key = X25519PrivateKey.from_private_bytes(recipient_private)
    shared = key.exchange(X25519PublicKey.from_public_bytes(encapsulated))
    shared += key.exchange(X25519PublicKey.from_public_bytes(sender_public))
    extracted = labeled_extract(KEM, b"", b"eae_prk", shared)
    return labeled_expand(KEM, extracted, b"shared_secret", encapsulated + recipient_public + sender_public, 32)


def open_shared(asked):
    shared = from_base64url(asked["shared"])
    if len(shared) != 81 or shared[0] != 1:
        raise ValueError("shared: unknown version or length")
    sender, recipient = (from_base64url(asked[who]["publicKey"]) for who in ("sender", "recipient"))
    private = from_base64url(asked["privateKey"])
    info = length_prefixed(
        "strongroom/v1/space-key/shared",
        asked["space"],
        struct.pack(">I", asked["epoch"]),
        asked["sender"]["account"],
        sender,
        asked["recipient"]["account"],
        recipient,
    )
    secret = auth_decap(shared[1:33], private[1:], recipient[1:], sender[1:])
    context = bytes([MODE_AUTH]) + labeled_extract(SUITE, b"", b"psk_id_hash", b"")
    context += labeled_extract(SUITE, b"", b"info_hash", info)
    schedule = labeled_extract(SUITE, secret, b"secret", b"")
    key = labeled_expand(SUITE, schedule, b"key", context, 32)
    nonce = labeled_expand(SUITE, schedule, b"base_nonce", context, 12)
    return AESGCM(key).decrypt(nonce, shared[33:], b"")


def fingerprint(person):
    public = from_base64url(person["publicKey"])
    digest = hashlib.sha512(length_prefixed("strongroom/v1/fingerprint", person["account"], public)).digest()
    groups = (int.from_bytes(digest[start : start + 5], "big") % 100000 for start in range(0, 30, 5))
    return " ".join(f"{group:05}" for group in groups)


if __name__ == "__main__":
    question = json.load(sys.stdin)
    try:
        print(json.dumps({"spaceKey": to_base64url(open_shared(question)), "fingerprint": fingerprint(question["sender"])}))
    except (ValueError, InvalidTag) as error:
        sys.exit(f"cannot open: {type(error).__name__} {error}")
