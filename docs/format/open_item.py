#!/usr/bin/env python3
"""Opens what a Strongroom client sealed, from docs/format/sealing.md alone. Needs python3-cryptography.

Standard input:  {"record": the account record, "unlockKey": base64url (or "recoveryCode": text),
                  "space": {"id", "epoch", "wrapping", "name"}, "items": [{"item", "version", "token"}]}
Standard output: {"privateKey": base64url, "name": text, "items": [base64url]}
Exits 1 with one line on standard error when anything does not open.
"""
import base64
import hashlib
import json
import struct
import sys

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class CannotOpen(Exception):
    pass


def from_base64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def to_base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def uint32(value):
    return struct.pack(">I", value)


def length_prefixed(*parts):
    encoded = [part.encode() if isinstance(part, str) else part for part in parts]
    return b"".join(uint32(len(part)) + part for part in encoded)


def hkdf(secret, salt, info, length):
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(secret)


def unwrap(key_encryption_key, context, wrapping):
    data = from_base64url(wrapping)
    if len(data) < 81 or data[0] != 1:
        raise CannotOpen("wrap: unknown version or too short")
    derived = hkdf(key_encryption_key, data[1:33], length_prefixed("strongroom/v1/wrap", *context), 64)
    if derived[32:] != data[33:65]:
        raise CannotOpen("wrap: another key or another context")
    return AESGCM(derived[:32]).decrypt(bytes(12), data[65:], None)


def length_class(length):
    if length <= 256:
        return 256
    exponent = length.bit_length() - 1
    step = 1 << (exponent - exponent.bit_length())
    return -(-length // step) * step


def unpad(padded):
    content = padded.rstrip(b"\0")
    if content[-1:] != b"\x80" or length_class(len(content)) != len(padded):
        raise CannotOpen("padding")
    return content[:-1]


def recovery_key(code):
    characters = code.upper().replace("-", "").replace(" ", "").replace("O", "0").replace("I", "1").replace("L", "1")
    number = 0
    for character in characters[:32]:
        number = number << 5 | CROCKFORD.index(character)
    secret = number.to_bytes(20, "big")
    digest = hashlib.sha256(length_prefixed("strongroom/v1/recovery/checksum", secret)).digest()
    check = int.from_bytes(digest[:3], "big") >> 4
    if characters[32:] != "".join(CROCKFORD[check >> shift & 31] for shift in (15, 10, 5, 0)):
        raise CannotOpen("recovery code: mistyped")
    return hkdf(secret, None, length_prefixed("strongroom/v1/recovery/unlock"), 32)


def open_item(space_key, space, epoch, item, version, token):
    info = length_prefixed("strongroom/v1/item", space, item, uint32(version), uint32(epoch))
    derived = hkdf(space_key, None, info, 64)
    plain = unpad(Fernet(base64.urlsafe_b64encode(derived[:32])).decrypt(token.encode()))
    if plain[:32] != derived[32:]:
        raise CannotOpen("item: another key")
    return plain[32:]


def main():
    given = json.load(sys.stdin)
    record, space = given["record"], given["space"]
    account = record["account"]
    if "recoveryCode" in given:
        kind, secret, lock = "account-key/recovery", recovery_key(given["recoveryCode"]), "accountKeyByRecovery"
    else:
        kind, secret, lock = "account-key/password", from_base64url(given["unlockKey"]), "accountKeyByPassword"
    account_key = unwrap(secret, (kind, account), record[lock])
    public_key = from_base64url(record["publicKey"])
    private_key = unwrap(account_key, ("private-key", account, public_key), record["privateKey"])
    place = (space["id"], uint32(space["epoch"]))
    space_key = unwrap(account_key, ("space-key", *place, account), space["wrapping"])
    name = unpad(unwrap(space_key, ("space-name", *place), space["name"])).decode()
    items = [open_item(space_key, space["id"], space["epoch"], **item) for item in given["items"]]
    json.dump({"privateKey": to_base64url(private_key), "name": name, "items": [to_base64url(i) for i in items]}, sys.stdout)


if __name__ == "__main__":
    try:
        main()
    except (CannotOpen, InvalidTag, InvalidToken) as error:
        sys.exit(f"open_item: cannot open ({str(error) or type(error).__name__})")
