import { utf8 } from '@strongroom/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEPTH_LIMIT, parseStrictJson } from './strict-json.ts';

const parse = (text: string): unknown => parseStrictJson(utf8(text));
const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

describe('parseStrictJson', () => {
  it.each([
    '{}',
    '[]',
    '"x"',
    ' { "a" : [ { "b" : 1 }, { "b" : 2 } ], "c" : "}{,\\"" } ',
    '{"a":{"a":{"a":1}},"b":"a"}',
    '{"a":"\\\\","b":"\\\\\\"","c":"\\\\\\\\"}',
    '{"a\\"b":1,"a":2}',
    '["__proto__","constructor",{"x":"prototype"}]',
    '{"😀":"😀","\\ud83d\\ude01":"\\ud83d\\ude01"}',
    nested(DEPTH_LIMIT),
  ])('takes %s as JSON.parse does', (text) => {
    expect(parse(text)).toEqual(JSON.parse(text));
  });

  it.each([
    ['the same key twice', '{"a":1,"a":2}', 'same key twice'],
    ['the same key twice, once in escapes', '{"a":1,"\\u0061":2}', 'same key twice'],
    ['the same key twice, deep inside', '[{"x":{"y":[{"z":1,"q":{},"z":2}]}}]', 'same key twice'],
    ['the same key twice with another between', '{"a":[1,2,{"b":1}],"b":2,"a":3}', 'same key twice'],
    ['__proto__', '{"__proto__":{"admin":true}}', 'reserved key'],
    ['__proto__ in escapes', '{"__pr\\u006fto__":1}', 'reserved key'],
    ['constructor', '{"a":{"constructor":{"prototype":1}}}', 'reserved key'],
    ['depth in arrays', nested(DEPTH_LIMIT + 1), 'deeper than'],
    ['depth in objects', `${'{"a":'.repeat(DEPTH_LIMIT + 1)}1${'}'.repeat(DEPTH_LIMIT + 1)}`, 'deeper than'],
    ['NUL', '{"a":"\\u0000"}', 'U+0000'],
    ['half a surrogate pair', '{"a":"\\ud800"}', 'unpaired'],
    ['half a surrogate pair in a key', '{"\\udc00":1}', 'unpaired'],
    ['nothing', '', 'grammar'],
    ['a comment', '{/*x*/}', 'grammar'],
    ['a trailing comma', '{"a":1,}', 'grammar'],
    ['two values', '{}{}', 'grammar'],
    ['a byte order mark', '\ufeff{}', 'grammar'],
    ['NaN', '{"a":NaN}', 'grammar'],
  ])('refuses %s', (_name, text, detail) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ code: 'pipeline.invalid-json', detail: expect.stringContaining(detail) }),
    );
  });

  it.each([[[0x22, 0xff, 0x22]], [[0x22, 0xc0, 0xaf, 0x22]], [[0x22, 0xed, 0xa0, 0x80, 0x22]]])(
    'refuses malformed UTF-8 %j',
    (bytes) => {
      expect(() => parseStrictJson(new Uint8Array(bytes))).toThrow('not valid UTF-8');
    },
  );

  it('never repeats the body in its message', () => {
    expect(() => parse('{"hunter2":1,"hunter2":2}')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
    );
    expect(() => parse('{"a":hunter2}')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
    );
  });

  it('gives what JSON.parse gives for any value written by JSON.stringify', () => {
    // What is refused on purpose has its own tests above.
    const value = fc
      .jsonValue({ stringUnit: 'grapheme', maxDepth: 4 })
      .filter((sample) => !/\\u0000|__proto__|constructor|prototype/.test(JSON.stringify(sample)));
    fc.assert(
      fc.property(value, fc.constantFrom(undefined, 1), (sample, indent) => {
        const text = JSON.stringify(sample, null, indent);
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('finds a key that is repeated anywhere in an object', () => {
    const pair = fc.tuple(
      fc.string(),
      fc.jsonValue({ maxDepth: 2 }).filter((value) => !JSON.stringify(value).includes('\\u')),
    );
    fc.assert(
      fc.property(
        fc.uniqueArray(pair, { selector: ([key]) => key, minLength: 1, maxLength: 6 }),
        fc.nat(),
        (pairs, choice) => {
          const members = pairs.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
          const doubled = [...members, members[choice % members.length]!];
          expect(() => parse(`{${doubled.join(',')}}`)).toThrow(
            expect.objectContaining({ code: 'pipeline.invalid-json' }),
          );
        },
      ),
    );
  });

  it('takes linear time on escapes: anything else would not end before the timeout', () => {
    for (const piece of ['\\\\', '\\"']) expect(parse(`"${piece.repeat(1_000_000)}"`)).toHaveLength(1_000_000);
  });
});
