/**
 * One mapping between SQL and JavaScript values for both engines, so that a room cannot tell them apart.
 * Results: bigint → number, bytea → Uint8Array, timestamptz → Date, json and jsonb → parsed, numeric, date and
 * everything unknown → the text PostgreSQL prints.
 */
import { StorageError } from '../errors.ts';

/** Object ids of built-in types: PostgreSQL source, src/include/catalog/pg_type.dat. They never change. */
const OID = {
  bool: 16,
  bytea: 17,
  int8: 20,
  int2: 21,
  int4: 23,
  oid: 26,
  json: 114,
  float4: 700,
  float8: 701,
  timestamptz: 1184,
  jsonb: 3802,
  boolArray: 1000,
  byteaArray: 1001,
  int2Array: 1005,
  int4Array: 1007,
  textArray: 1009,
  varcharArray: 1015,
  int8Array: 1016,
  nameArray: 1003,
  timestamptzArray: 1185,
  uuidArray: 2951,
} as const;

type Parse = (text: string) => unknown;

const parseInteger: Parse = (text) => {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new StorageError('storage.unsafe-number');
  return value;
};

/** `\x` and lower-case hexadecimal, the only form printed under `bytea_output = hex`. */
const parseBytes: Parse = (text) => {
  const bytes = Buffer.from(text.slice(2), 'hex');
  // A view of its own memory: no Buffer, and nothing shared with Node's pool.
  return new Uint8Array(bytes);
};

const parseTime: Parse = (text) => {
  const time = new Date(text);
  // 'infinity' and years beyond JavaScript's range.
  if (Number.isNaN(time.getTime()))
    throw new StorageError('storage.query-failed', { detail: 'A time is out of range.' });
  return time;
};

const parseText: Parse = (text) => text;

/** Array output syntax, PostgreSQL documentation §8.15.6; one dimension is all the schema uses. */
function parseArray(parse: Parse): Parse {
  return (text) => {
    const items: unknown[] = [];
    let index = 1;
    while (index < text.length - 1) {
      let item = '';
      const quoted = text[index] === '"';
      if (quoted) index += 1;
      for (; index < text.length - 1; index += 1) {
        if (quoted ? text[index] === '"' : text[index] === ',') break;
        if (text[index] === '\\') index += 1;
        item += text[index];
      }
      items.push(!quoted && item === 'NULL' ? null : parse(item));
      index += quoted ? 2 : 1;
    }
    return items;
  };
}

const parseBoolean: Parse = (text) => text === 't';
const parseJson: Parse = (text) => JSON.parse(text) as unknown;

const parsers: ReadonlyMap<number, Parse> = new Map<number, Parse>([
  [OID.bool, parseBoolean],
  [OID.bytea, parseBytes],
  [OID.int8, parseInteger],
  [OID.int2, Number],
  [OID.int4, Number],
  [OID.oid, Number],
  [OID.float4, Number],
  [OID.float8, Number],
  [OID.json, parseJson],
  [OID.jsonb, parseJson],
  [OID.timestamptz, parseTime],
  [OID.boolArray, parseArray(parseBoolean)],
  [OID.byteaArray, parseArray(parseBytes)],
  [OID.int2Array, parseArray(Number)],
  [OID.int4Array, parseArray(Number)],
  [OID.int8Array, parseArray(parseInteger)],
  [OID.textArray, parseArray(parseText)],
  [OID.varcharArray, parseArray(parseText)],
  [OID.nameArray, parseArray(parseText)],
  [OID.uuidArray, parseArray(parseText)],
  [OID.timestamptzArray, parseArray(parseTime)],
]);

/** The function that turns PostgreSQL's text for a type into a JavaScript value. */
export const parserOf = (oid: number): Parse => parsers.get(oid) ?? parseText;

const quoteItem = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

function arrayText(items: readonly unknown[]): string {
  const parts = items.map((item) => {
    const value = toParameter(item);
    if (value === null) return 'NULL';
    return quoteItem(typeof value === 'string' ? value : `\\x${Buffer.from(value).toString('hex')}`);
  });
  return `{${parts.join(',')}}`;
}

/**
 * What is sent for a query parameter: text, bytes or null. Arrays become SQL arrays and other objects JSON; a JSON array
 * therefore has to be passed as `JSON.stringify(…)`.
 */
export function toParameter(value: unknown): string | Uint8Array | null {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'undefined':
      return null;
    case 'object':
      if (value === null) return null;
      if (value instanceof Uint8Array) return value;
      if (value instanceof Date) return value.toISOString();
      return Array.isArray(value) ? arrayText(value) : JSON.stringify(value);
    case 'function':
    case 'symbol':
    default:
      throw new TypeError(`query parameter: a ${typeof value} cannot be stored`);
  }
}
