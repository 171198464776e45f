/**
 * JSON that means the same to every reader. `JSON.parse` takes the last of two equal keys, other parsers the first; a
 * signature checker and a handler that disagree are a hole. So the body is parsed by the engine and then read once
 * more for what the engine does not report: duplicate keys, keys that name JavaScript's prototypes, depth, and text
 * no database column can hold.
 */
import { KernelError, fromUtf8 } from '@strongroom/kernel';
import { PipelineError } from '../errors.ts';

/**
 * Levels of arrays and objects. Declared inputs nest five deep at most; recursion over anything deeper is an attack.
 */
export const DEPTH_LIMIT = 32;

const RESERVED_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

export const isReservedKey = (key: string): boolean => RESERVED_KEYS.has(key);

/** No U+0000 (PostgreSQL cannot store it) and no unpaired surrogate (UTF-8 cannot express it). */
export const isStorableText = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

/** Throws `pipeline.invalid-json`; the detail never repeats a piece of the body. */
export function parseStrictJson(bytes: Uint8Array): unknown {
  let text: string;
  let value: unknown;
  try {
    text = fromUtf8(bytes);
    value = JSON.parse(text);
  } catch (cause) {
    const detail = cause instanceof KernelError ? 'It is not valid UTF-8.' : 'It does not follow the JSON grammar.';
    throw new PipelineError('pipeline.invalid-json', { detail });
  }
  inspect(text);
  return value;
}

const refuse = (detail: string): never => {
  throw new PipelineError('pipeline.invalid-json', { detail });
};

/** `null` for an array, the keys seen so far for an object. */
type Level = Set<string> | null;

/** Walks text that is known to be grammatical, so that it only has to find strings, brackets and commas. */
function inspect(text: string): void {
  const levels: Level[] = [];
  let level: Level | undefined;
  let keyExpected = false;
  for (let index = 0; index < text.length; index += 1) {
    switch (text.charCodeAt(index)) {
      case 0x22: {
        const end = endOfString(text, index);
        const content = stringAt(text, index, end);
        if (keyExpected && level) {
          if (isReservedKey(content)) refuse('It uses a reserved key.');
          if (level.has(content)) refuse('It gives the same key twice in one object.');
          level.add(content);
          keyExpected = false;
        }
        index = end;
        break;
      }
      case 0x7b: // {
      case 0x5b: // [
        if (levels.length === DEPTH_LIMIT) refuse(`It nests deeper than ${DEPTH_LIMIT} levels.`);
        level = text.charCodeAt(index) === 0x7b ? new Set() : null;
        levels.push(level);
        keyExpected = level !== null;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        levels.pop();
        level = levels.at(-1);
        keyExpected = false;
        break;
      case 0x2c: // ,
        keyExpected = true; // in an array, too, where no string is taken for a key
        break;
      default:
    }
  }
}

/** Index of the closing quote: the first one that an even number of backslashes precedes. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (text.charCodeAt(end - 1) === 0x5c) {
    let backslashes = 1;
    while (text.charCodeAt(end - 1 - backslashes) === 0x5c) backslashes += 1;
    if (backslashes % 2 === 0) break;
    end = text.indexOf('"', end + 1);
  }
  return end;
}

/**
 * Only escapes can bring in a NUL or half a surrogate pair: the decoder refused such bytes, JSON the raw control
 * character.
 */
function stringAt(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end);
  if (!raw.includes('\\')) return raw;
  const content = JSON.parse(text.slice(start, end + 1)) as string;
  if (!isStorableText(content)) refuse('Its text must not contain U+0000 or unpaired surrogates.');
  return content;
}
