// What an authenticator app does: RFC 6238 with SHA-1, six digits and 30 seconds.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";

import { password } from "./harness.js";

const STEP_MS = 30_000;

/** The bytes of a text in base32 (RFC 4648), however it is grouped. */
function fromBase32(text) {
  const bits = [...text.replaceAll(/\s/g, "")].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0"));
  return Buffer.from(bits.join("").match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
}

/** The code of so many steps from now. */
export function codeOf(secret, steps = 0) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / STEP_MS) + steps));
  const mac = createHmac("sha1", fromBase32(secret)).update(counter).digest();
  const number = mac.readUInt32BE(mac.at(-1) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

/** Sets an app up over the API, for the account of this bearer token: its secret, and ten spare codes. */
export async function setUpApp(url, token) {
  const send = async (where, body) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const answer = await fetch(`${url}/api/v1/account/${where}`, { method: "POST", headers, body: JSON.stringify(body) });
    assert(answer.ok, `${where}: ${answer.status}`);
    return answer.json();
  };
  const { secret } = await send("authenticator", { password });
  const confirmed = await send("authenticator/confirm", { totp: codeOf(secret) });
  return { secret, spare: confirmed.spare_codes };
}
