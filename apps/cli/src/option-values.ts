/** Values of options, from words to what commands use. */
import { readFile } from 'node:fs/promises';
import { CliError } from './errors.ts';

/** Gathers the values of an option that may be given several times. */
export const collect = (value: string, earlier: readonly string[] = []): readonly string[] => [...earlier, value];

/** `name`: the option or argument as it is typed. Throws `cli.usage`. */
export function wholeNumber(text: string, name: string, least: number, most: number = Number.MAX_SAFE_INTEGER): number {
  const value = /^(?:0|[1-9]\d{0,15})$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `of ${least} or more` : `from ${least} to ${most}`;
  throw new CliError('cli.usage', { detail: `${name} is a whole number ${range}.` });
}

/** The text of a file that an option or argument names. Throws `cli.unreadable-file`. */
export const readText = async (file: string): Promise<string> => (await readBytes(file)).toString('utf8');

/** Its bytes. Throws likewise. */
export async function readBytes(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new CliError('cli.unreadable-file', { detail: file, cause });
  }
}
