/** `strongroom fernet`: tokens interoperable with every implementation of the Fernet specification. */
import { buffer } from 'node:stream/consumers';
import { EncryptionError, Fernet, MultiFernet } from '@strongroom/encryption';
import { type Command, Option } from 'commander';
import { CliError } from '../errors.ts';
import { EXIT, withExitCodes } from '../exit-codes.ts';
import type { CommandContext } from '../context.ts';
import { collect, wholeNumber } from '../option-values.ts';

const NEWLINE = 0x0a;

const seconds = (name: string) => (text: string) => wholeNumber(text, name, 0);

/** The first key encrypts; each of them may decrypt. */
function cipherOf(keys: readonly string[] | undefined): MultiFernet {
  if (keys === undefined) throw new CliError('cli.usage', { detail: 'Give --key, or set STRONGROOM_FERNET_KEY.' });
  return new MultiFernet(keys.map((key) => new Fernet(key)));
}

const keyOption = (): Option =>
  new Option('--key <key>', 'key as `generate-key` prints it; may be given several times, the newest first')
    .env('STRONGROOM_FERNET_KEY')
    .argParser(collect);

const nowOption = (): Option =>
  new Option('--now <unix>', 'time to use instead of the clock, seconds since 1970').argParser(seconds('--now'));

export function addFernetCommands(program: Command, context: CommandContext): void {
  const fernet = program
    .command('fernet')
    .description('encrypt and decrypt Fernet tokens, standard input to standard output');

  fernet
    .command('generate-key')
    .description('print a new random key')
    .addHelpText('after', '\nExample:\n  strongroom fernet generate-key')
    .action(() => {
      const key = Fernet.generateKey();
      context.terminal().result({ key }, [key]);
    });

  fernet
    .command('encrypt')
    .description('read content, print a token')
    .addOption(keyOption())
    .addOption(nowOption())
    .addHelpText('after', '\nExample:\n  printf %s "hello" | strongroom fernet encrypt --key "$KEY"')
    .action(async (options: { key?: readonly string[]; now?: number }) => {
      const cipher = cipherOf(options.key);
      const token = cipher.encrypt(await buffer(process.stdin), { now: options.now });
      context.terminal().result({ token }, [token]);
    });

  withExitCodes(fernet.command('decrypt'), { [EXIT.usage]: 'wrong command line; the token is invalid or expired' })
    .description('read a token, print its content')
    .addOption(keyOption())
    .addOption(new Option('--ttl <seconds>', 'refuse tokens older than this').argParser(seconds('--ttl')))
    .addOption(nowOption())
    .addHelpText('after', '\nExample:\n  strongroom fernet decrypt --key "$KEY" --ttl 3600 < token')
    .action(async (options: { key?: readonly string[]; ttl?: number; now?: number }) => {
      const cipher = cipherOf(options.key);
      const token = await readToken();
      try {
        const content = cipher.decrypt(token, { ttl: options.ttl, now: options.now });
        if (context.terminal().json)
          context.terminal().result({ content: Buffer.from(content).toString('base64') }, []);
        else process.stdout.write(content);
      } catch (error) {
        if (!(error instanceof EncryptionError)) throw error;
        context.fail(error, EXIT.usage);
      }
    });
  withExitCodes(fernet.command('rotate'), { [EXIT.usage]: 'wrong command line; the token is invalid' })
    .description('read a token under any of the keys, print it under the first, with its time kept')
    .addOption(keyOption())
    .addHelpText('after', '\nExample:\n  strongroom fernet rotate --key "$NEW" --key "$OLD" < token')
    .action(async (options: { key?: readonly string[] }) => {
      const cipher = cipherOf(options.key);
      const token = await readToken();
      try {
        const rotated = cipher.rotate(token);
        context.terminal().result({ token: rotated }, [rotated]);
      } catch (error) {
        if (!(error instanceof EncryptionError)) throw error;
        context.fail(error, EXIT.usage);
      }
    });
}

/** One line break at the end belongs to the shell, not to the token; anything else is refused as it stands. */
async function readToken(): Promise<Uint8Array> {
  const input = await buffer(process.stdin);
  return input.at(-1) === NEWLINE ? input.subarray(0, -1) : input;
}
