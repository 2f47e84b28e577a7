// Real photographs from scripts/make_corpus.py, made once and kept below target/, and tiny
// pictures made here.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import zlib from "node:zlib";

import { root } from "./harness.js";

/** Paths of `count` photographs of 12 megapixels, 3 to 5 MB each, with their SHA-256 sums by name. */
export function photographs(count) {
  const dir = path.join(root, `target/corpus-${count}`);
  const manifest = path.join(dir, "manifest.json");
  if (!existsSync(manifest)) {
    const python = process.env.PYTHON ?? "python3";
    execFileSync(python, [path.join(root, "scripts/make_corpus.py"), "--out", dir, "--count", String(count)], { stdio: "inherit" });
  }
  const files = JSON.parse(readFileSync(manifest, "utf8")).files;
  return {
    paths: files.map((file) => path.join(dir, file.name)),
    sums: new Map(files.map((file) => [file.name, file.sha256])),
  };
}

export const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** A PNG of one colour, perhaps with what `exif` gives. */
export function png(width, height, [red, green, blue], about) {
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(zlib.crc32 ? zlib.crc32(body) : crc32(body), out.length - 4);
    return out;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const row = Buffer.concat([Buffer.from([0]), Buffer.concat(Array(width).fill(Buffer.from([red, green, blue])))]);
  const pixels = zlib.deflateSync(Buffer.concat(Array(height).fill(row)));
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk("IHDR", header), ...(about ? [chunk("eXIf", about)] : []), chunk("IDAT", pixels), chunk("IEND", Buffer.alloc(0))]);
}

/**
 * Metadata as a camera writes it (Exif 2.32; little-endian TIFF).
 * @param {string} taken "2026:11:20 21:04:00"
 * @param {[number, number, number][]} place degrees, minutes and seconds to the north and to the east
 */
export function exif(taken, [north, east]) {
  const [ASCII, LONG, RATIONAL] = [2, 4, 5];
  // Where each list of tags begins, and the values that do not fit into a tag.
  const [main, camera, gps, values] = [8, 38, 56, 110];
  const out = Buffer.alloc(values + 20 + 48);
  const tags = (at, list) => {
    out.writeUInt16LE(list.length, at);
    for (const [n, [tag, type, count, value]] of list.entries()) {
      const place = at + 2 + 12 * n;
      out.writeUInt16LE(tag, place);
      out.writeUInt16LE(type, place + 2);
      out.writeUInt32LE(count, place + 4);
      if (typeof value === "string") out.write(value, place + 8, "latin1");
      else out.writeUInt32LE(value, place + 8);
    }
  };
  out.write("II*\0", "latin1");
  out.writeUInt32LE(main, 4);
  tags(main, [[0x8769, LONG, 1, camera], [0x8825, LONG, 1, gps]]);
  tags(camera, [[0x9003, ASCII, 20, values]]);
  tags(gps, [[1, ASCII, 2, "N"], [2, RATIONAL, 3, values + 20], [3, ASCII, 2, "E"], [4, RATIONAL, 3, values + 44]]);
  out.write(taken, values, "latin1");
  for (const [n, part] of [...north, ...east].entries()) {
    out.writeUInt32LE(part, values + 20 + 8 * n);
    out.writeUInt32LE(1, values + 24 + 8 * n);
  }
  return out;
}

// Node 20 has zlib.crc32 only from 20.15 on.
function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** The files of a stored-only zip, by name, read by Python's zipfile. */
export function zipSums(file) {
  const script = `
import hashlib, json, sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
assert archive.testzip() is None
json.dump({n: hashlib.sha256(archive.read(n)).hexdigest() for n in archive.namelist()}, sys.stdout)`;
  const python = process.env.PYTHON ?? "python3";
  const out = execFileSync(python, ["-c", script, file], { maxBuffer: 64 << 20 });
  return new Map(Object.entries(JSON.parse(out)));
}

/** Tiny pictures for `setInputFiles`, no two the same; `from` makes other ones than before. */
export function tinyFiles(count, from = 0) {
  return Array.from({ length: count }, (_, i) => {
    const n = from + i;
    return { name: `tiny-${String(n).padStart(4, "0")}.png`, mimeType: "image/png", buffer: png(4, 3, [n & 255, (n >> 8) & 255, 77]) };
  });
}
