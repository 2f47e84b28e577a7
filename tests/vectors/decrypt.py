#!/usr/bin/env python3
"""Opens a set of golden files as docs/CRYPTO.md says, without any code of this repository.

Usage: decrypt.py [directory]      (default: golden, beside this file)
Needs: pip install 'cryptography>=44'
Exits with 1 if anything does not open or is not what the manifest says.
"""

import base64
import hashlib
import hmac
import json
import sys
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ZERO_NONCE = bytes(12)
NO_SALT = b""


class Broken(Exception):
    """Something does not open."""


def check(condition, what):
    if not condition:
        raise Broken(what)


# Notation -----------------------------------------------------------------------------------------


def u8(n):
    return n.to_bytes(1, "big")


def u32(n):
    return n.to_bytes(4, "big")


def hkdf(salt, ikm, info, length):
    return HKDF(SHA256(), length, salt or None, info).derive(ikm)


def hmac_sha256(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def sha256(message):
    return hashlib.sha256(message).digest()


def gcm_open(key, nonce, aad, ciphertext, what):
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, aad)
    except InvalidTag:
        raise Broken(f"{what}: the tag is wrong") from None


# From the password to a key -----------------------------------------------------------------------


def pepper_of(instance_secret):
    return hkdf(NO_SALT, instance_secret, b"image-vault pepper v1\0", 32)


def password_key(password, salt, pepper, memory_kib, passes, lanes):
    check(memory_kib <= 1 << 20 and passes <= 20 and lanes <= 16, "parameters above the limits")
    return Argon2id(
        salt=salt, length=32, iterations=passes, lanes=lanes, memory_cost=memory_kib, secret=pepper
    ).derive(password)


def password_params(memory_kib, passes, lanes, salt, pepper_id):
    return u32(memory_kib) + u32(passes) + u32(lanes) + salt + u32(pepper_id)


# IVWK and IVBX ------------------------------------------------------------------------------------


def open_wrapped(record, parent, kind, owner, subject, params=b""):
    check(len(record) == 120, "IVWK: length")
    check(record[:8] == b"IVWK" + u8(1) + u8(kind) + bytes(2), f"IVWK {kind}: header")
    info = b"image-vault wrap v1\0" + u8(kind) + owner + subject
    okm = hkdf(record[8:40], parent, info, 64)
    check(hmac.compare_digest(okm[32:], record[40:72]), f"IVWK {kind}: commitment")
    aad = record[:72] + owner + subject + params
    return gcm_open(okm[:32], ZERO_NONCE, aad, record[72:], f"IVWK {kind}")


def x25519_public(secret):
    public = X25519PrivateKey.from_private_bytes(secret).public_key()
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def open_box(box, recipient_secret, kind, owner, subject, params=b""):
    check(len(box) == 136, "IVBX: length")
    check(box[:8] == b"IVBX" + u8(1) + bytes(3), "IVBX: header")
    ephemeral, salt = box[8:40], box[120:]
    # `exchange` refuses a shared secret of zeros itself.
    shared = X25519PrivateKey.from_private_bytes(recipient_secret).exchange(
        X25519PublicKey.from_public_bytes(ephemeral)
    )
    info = b"image-vault box v1\0" + u8(kind) + owner + subject
    okm = hkdf(salt + ephemeral + x25519_public(recipient_secret), shared, info, 64)
    check(hmac.compare_digest(okm[32:], box[40:72]), "IVBX: commitment")
    aad = box[:72] + owner + subject + params
    return gcm_open(okm[:32], ZERO_NONCE, aad, box[72:120], "IVBX")


# IVAULTB1 -----------------------------------------------------------------------------------------


def open_blob(blob, data_key, owner, image, role):
    header, body = blob[:96], blob[96:]
    check(len(header) == 96 and header[:8] == b"IVAULTB1", "blob: magic")
    version, suite, log2 = header[8], header[9], header[10]
    check(version == 1 and suite == 1 and 12 <= log2 <= 20, "blob: version, suite or segment length")
    check(header[11] == role and header[12:16] == bytes(4) and header[16:32] == image, "blob: header")

    role_key = hkdf(NO_SALT, data_key, b"image-vault role v1\0" + u8(role), 32)
    info = b"image-vault blob v1\0" + u8(suite) + u8(role) + owner + image
    okm = hkdf(header[32:64], role_key, info, 71)
    key, commitment, prefix = okm[:32], okm[32:64], okm[64:]
    check(hmac.compare_digest(commitment, header[64:96]), "blob: commitment")

    segment_len, aad, plaintext, index = 1 << log2, header + owner, b"", 0
    while True:
        segment, body = body[: segment_len + 16], body[segment_len + 16 :]
        last = not body
        nonce = prefix + u32(index) + u8(last)
        opened = gcm_open(key, nonce, aad, segment, f"blob: segment {index}")
        check(opened or index == 0, "blob: empty last segment")
        plaintext += opened
        if last:
            return plaintext
        index += 1


# Small formats ------------------------------------------------------------------------------------

CODE_ALPHABET = "0123456789ACDEFGHJKMNPQRSTUVWXYZ"


def recovery_secret(code):
    chars = "".join(c for c in code.upper() if c not in " -\t\r\n_.")
    number = 0
    check(len(chars) == 56, "recovery code: length")
    for c in chars:
        number = number << 5 | CODE_ALPHABET.index({"O": "0", "I": "1", "L": "1", "B": "8"}.get(c, c))
    code = number.to_bytes(35, "big")
    check(sha256(code[:32])[:3] == code[32:], "recovery code: checksum")
    return code[:32]


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def open_cursor(sealed, master_key):
    cursor_key = hkdf(NO_SALT, master_key, b"image-vault cursor key v1\0", 32)
    key = hkdf(sealed[:16], cursor_key, b"image-vault cursor v1\0", 32)
    return gcm_open(key, ZERO_NONCE, b"", sealed[16:], "cursor")


# The second factor ------------------------------------------------------------------------------


def totp(secret, at):
    mac = hmac.new(secret, (at // 30).to_bytes(8, "big"), hashlib.sha1).digest()
    offset = mac[-1] & 15
    return f"{(int.from_bytes(mac[offset : offset + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


def open_wraps(golden):
    raw, children = bytes.fromhex, {}
    for case in golden["wraps"]:
        place = case["kind"], raw(case["owner"]), raw(case["subject"])
        child = open_wrapped(raw(case["record"]), raw(case["parent"]), *place)
        check(child == raw(case["child"]), f"IVWK {case['kind']}: wrapped key")
        children[case["kind"]] = child
    return children


def second_factor(golden):
    raw, children = bytes.fromhex, open_wraps(golden)
    check(sorted(children) == [15, 16, 17], "one IVWK of each kind")

    secret = hkdf(NO_SALT, children[15], b"image-vault totp v1\0", 20)
    check(secret == raw(golden["authenticator"]["secret"]), "secret of the app")
    for case in golden["authenticator"]["codes"]:
        check(totp(secret, case["at"]) == case["code"], f"code at {case['at']}")

    chars = golden["spare_code"]["code"].replace("-", "")
    check(all(c in CODE_ALPHABET for c in chars) and len(chars) == 12, "spare code")
    digest = hmac_sha256(children[16], chars.encode())
    check(digest == raw(golden["spare_code"]["digest"]), "digest of a spare code")


# The golden files ---------------------------------------------------------------------------------


def plaintext(length):
    blocks = (sha256(i.to_bytes(8, "big")) for i in range((length + 31) // 32))
    return b"".join(blocks)[:length]


def must_fail(what, function, *arguments):
    try:
        function(*arguments)
    except Broken:
        return
    raise Broken(f"{what} opened")


def main(directory):
    golden = json.loads((directory / "manifest.json").read_text())
    raw = bytes.fromhex

    instance = raw(golden["instance"]["secret"])
    pepper = pepper_of(instance)
    check(pepper == raw(golden["instance"]["pepper"]), "pepper")
    check_value = hkdf(NO_SALT, instance, b"image-vault instance check v1\0", 32)
    check(check_value == raw(golden["instance"]["check_value"]), "instance check value")

    password_keys = []
    for case in golden["passwords"]:
        cost = case["memory_kib"], case["passes"], case["lanes"]
        salt = raw(case["salt"])
        key = password_key(case["password"].encode(), salt, pepper, *cost)
        check(key == raw(case["key"]), f"password key {cost}")
        params = password_params(*cost, salt, case["pepper_id"])
        check(params == raw(case["associated_data"]), f"params {cost}")
        password_keys.append((key, params))

    wraps = {}
    for case in golden["wraps"]:
        place = case["kind"], raw(case["owner"]), raw(case["subject"])
        record, params = raw(case["record"]), raw(case["params"])
        child = open_wrapped(record, raw(case["parent"]), *place, params)
        check(child == raw(case["child"]), f"IVWK {case['kind']}: wrapped key")
        wraps[case["kind"]] = (record, place)
    check(sorted(wraps) == list(range(1, 15)), "one IVWK of each kind")

    for case in golden["boxes"]:
        place = case["kind"], raw(case["owner"]), raw(case["subject"])
        secret = raw(case["recipient_secret"])
        check(x25519_public(secret) == raw(case["recipient_public"]), "X25519 public key")
        child = open_box(raw(case["box"]), secret, *place, raw(case["params"]))
        check(child == raw(case["child"]), "IVBX: sealed key")

    # The whole way, from what a person knows or holds: password, recovery code, session token.
    key, params = password_keys[0]
    master_key = open_wrapped(wraps[1][0], key, *wraps[1][1], params)

    secret = recovery_secret(golden["recovery"]["code"])
    check(secret == raw(golden["recovery"]["secret"]), "recovery secret")
    check(open_wrapped(wraps[2][0], secret, *wraps[2][1]) == master_key, "recovery")

    session = golden["session"]
    token = base64.urlsafe_b64decode(session["token"])
    session_id, secret = token[:16], token[16:]
    check(session_id == raw(session["id"]) == wraps[3][1][2], "session id")
    check(secret == raw(session["secret"]), "session secret")
    check(sha256(session_id) == raw(session["digest"]), "session digest")
    check(base64url(hmac_sha256(secret, b"csrf")) == session["csrf_token"], "CSRF token")
    check(open_wrapped(wraps[3][0], secret, *wraps[3][1]) == master_key, "session")

    data_key = open_wrapped(wraps[4][0], master_key, *wraps[4][1])
    for case in golden["blobs"]:
        blob = (directory / case["file"]).read_bytes()
        length = case["plaintext_len"]
        check(len(blob) == 96 + length + 16 * max(1, -(-length // 65536)), f"{case['file']}: length")
        place = raw(case["owner"]), raw(case["image"]), case["role"]
        opened = open_blob(blob, data_key, *place)
        check(opened == plaintext(length), f"{case['file']}: plaintext")
        check(sha256(opened) == raw(case["plaintext_sha256"]), f"{case['file']}: digest")

        # A checker that passes everything would pass this set too.
        flipped = blob[:-1] + u8(blob[-1] ^ 1)
        must_fail(f"{case['file']}, changed,", open_blob, flipped, data_key, *place)
        if length > 65536:
            must_fail(f"{case['file']}, cut,", open_blob, blob[: 96 + 65552], data_key, *place)

    digest_key = open_wrapped(wraps[8][0], master_key, *wraps[8][1])
    digest = golden["digest"]
    check(digest_key == raw(digest["key"]), "digest key")
    content = sha256(digest["content"].encode())
    check(hmac_sha256(digest_key, content) == raw(digest["digest"]), "duplicate digest")

    cursor = golden["cursor"]
    check(open_cursor(raw(cursor["sealed"]), master_key) == cursor["bytes"].encode(), "cursor")

    later = directory / "second_factor.json"
    if later.exists():
        second_factor(json.loads(later.read_text()))
    later = directory / "rotation.json"
    if later.exists():
        children = open_wraps(json.loads(later.read_text()))
        check(sorted(children) == [18], "one IVWK of a retired key")

    counts = ", ".join(f"{len(golden[k])} {k}" for k in ("passwords", "wraps", "boxes", "blobs"))
    print(f"{directory}: {counts} and the small formats open as docs/CRYPTO.md says")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "golden")
    except Broken as error:
        sys.exit(f"does not open: {error}")
