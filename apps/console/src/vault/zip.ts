/**
 * A ZIP archive (PKWARE APPNOTE 6.3.10) of stored files: no compression, since what is exported is text of a few megabytes and
 * goes to the same disk. Names are UTF-8 (general purpose bit 11).
 */
import { utf8, type Bytes } from '@strongroom/kernel';

export interface ZipFile {
  readonly name: string;
  readonly content: Bytes;
  /** Milliseconds since the epoch; ZIP knows two-second steps from 1980 on. */
  readonly modifiedAt: number;
}

const UTF8_NAMES = 0x0800;
/** Version 2.0 of the specification: stored and deflated files. */
const VERSION = 20;
/** Without the 64-bit extension, counts and sizes end here. */
const MOST_FILES = 0xffff;

/** Throws a RangeError for more than 65,535 files. */
export function zip(files: readonly ZipFile[]): Blob {
  if (files.length > MOST_FILES) throw new RangeError('zip: too many files');
  const parts: Bytes[] = [];
  const directory: Bytes[] = [];
  let offset = 0;
  for (const { name, content, modifiedAt } of files) {
    const encodedName = utf8(name);
    const common = commonFields(encodedName, content, modifiedAt);
    const local = record(0x04034b50, [...common, [2, 0]]);
    parts.push(local, encodedName, content);
    // Comment length, disk number, internal and external attributes, offset.
    const entry = record(0x02014b50, [[2, VERSION], ...common, [2, 0], [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]]);
    directory.push(entry, encodedName);
    offset += local.length + encodedName.length + content.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = record(0x06054b50, [
    [2, 0],
    [2, 0],
    [2, files.length],
    [2, files.length],
    [4, size],
    [4, offset],
    [2, 0],
  ]);
  return new Blob([...parts, ...directory, end], { type: 'application/zip' });
}

type Field = readonly [bytes: 2 | 4, value: number];

function commonFields(name: Bytes, content: Bytes, modifiedAt: number): Field[] {
  const { time, date } = dosTime(modifiedAt);
  const { length } = content;
  return [
    [2, VERSION],
    [2, UTF8_NAMES],
    [2, 0],
    [2, time],
    [2, date],
    [4, crc32(content)],
    [4, length],
    [4, length],
    [2, name.length],
  ];
}

function record(signature: number, fields: readonly Field[]): Bytes {
  const length = fields.reduce((sum, [bytes]) => sum + bytes, 4);
  const view = new DataView(new ArrayBuffer(length));
  view.setUint32(0, signature, true);
  let at = 4;
  for (const [bytes, value] of fields) {
    if (bytes === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += bytes;
  }
  return new Uint8Array(view.buffer);
}

function dosTime(milliseconds: number): { time: number; date: number } {
  const at = new Date(Math.max(milliseconds, Date.UTC(1980, 0, 1)));
  return {
    time: (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1),
    date: (Math.min(at.getUTCFullYear() - 1980, 127) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate(),
  };
}

/** CRC-32 of ISO 3309, reflected polynomial 0xEDB88320. */
const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

export function crc32(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = TABLE[(value ^ byte) & 0xff]! ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}
