/** What people see and type. Results go to standard output, everything else to standard error. */
import * as prompts from '@clack/prompts';
import { CliError } from './errors.ts';

interface Progress {
  /** `done` of `total` so far. */
  update(done: number, total: number): void;
  /** An empty message says nothing. */
  finish(message: string): void;
}

export interface Terminal {
  readonly interactive: boolean;
  /** True for `--json`: one JSON document on standard output and no decoration anywhere. */
  readonly json: boolean;
  /** The result: a JSON value with `--json`, else the lines. */
  result(value: unknown, lines: readonly string[]): void;
  /** A remark that is no part of the result. */
  remark(text: string): void;
  /** `undefined` when nobody can be asked. */
  askPassword(message: string): Promise<string | undefined>;
  askText(message: string): Promise<string | undefined>;
  /** False when nobody can be asked. */
  confirm(message: string): Promise<boolean>;
  progress(title: string): Progress;
}

/** Characters that would let a memory or a name rewrite the terminal: C0, DEL, C1 and bidirectional controls. */
// oxlint-disable-next-line eslint/no-control-regex -- matching control characters is the purpose
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/gu;

/** Text from a memory, safe to print. Line breaks and tabs stay. */
export const printable = (text: string): string => text.replaceAll('\r\n', '\n').replace(CONTROL, '\ufffd');

/** The prompts answer with a symbol when somebody presses Escape or Ctrl+C. */
async function answer<Value>(question: Promise<Value>): Promise<Exclude<Value, symbol>> {
  const value = await question;
  if (typeof value === 'symbol') throw new CliError('cli.cancelled');
  return value as Exclude<Value, symbol>;
}

export function createTerminal(json: boolean): Terminal {
  const interactive = process.stdin.isTTY && process.stderr.isTTY && !json;
  const output = process.stderr;

  return {
    interactive,
    json,
    result(value, lines) {
      process.stdout.write(json ? `${JSON.stringify(value)}\n` : lines.map((line) => `${printable(line)}\n`).join(''));
    },
    remark(text) {
      if (!json) output.write(`${printable(text)}\n`);
    },
    askPassword: async (message) =>
      interactive ? answer(prompts.password({ message, output, mask: '•' })) : undefined,
    askText: async (message) => (interactive ? answer(prompts.text({ message, output })) : undefined),
    confirm: async (message) =>
      interactive ? answer(prompts.confirm({ message, output, initialValue: false })) : false,
    progress(title) {
      if (!interactive) {
        return {
          update() {},
          finish(message) {
            if (!json && message !== '') output.write(`${printable(message)}\n`);
          },
        };
      }
      let bar: ReturnType<typeof prompts.progress> | undefined;
      let shown = 0;
      return {
        update(done, total) {
          if (bar === undefined) {
            bar = prompts.progress({ max: Math.max(total, 1), output });
            bar.start(title);
          }
          bar.advance(done - shown, `${title}: ${done} of ${total}`);
          shown = done;
        },
        finish(message) {
          if (bar !== undefined) bar.stop(message);
          else if (message !== '') output.write(`${printable(message)}\n`);
        },
      };
    },
  };
}
