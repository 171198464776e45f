/** `strongroom audit checkpoint --rotate-key`: new keys for the log, for which the former ones vouch. */
import { writeFile } from 'node:fs/promises';
import { administratorSocket, askServer } from '../administrator.ts';
import type { CommandContext } from '../context.ts';
import { CliError } from '../errors.ts';
import { type LogOptions, withStopped } from '../stopped-vault.ts';

interface KeyRotation {
  readonly size: number;
  readonly keys: readonly string[];
  readonly handover: string;
}

interface RotationOptions extends LogOptions {
  /** Where the proof that leads from the former keys to the new ones is written as well. */
  readonly out?: string;
}

export async function rotateKey(context: CommandContext, options: RotationOptions): Promise<void> {
  const { data, out } = options;
  if (data === undefined) throw new CliError('cli.usage', { detail: '--rotate-key is for the operator: give --data.' });
  const answer = await askServer(administratorSocket(data), 'POST', '/operator/audit/key-rotations');
  const { size, keys, handover } =
    answer === undefined
      ? await withStopped(context, data, options, ({ services }) => services.auditLog.rotateKeys('command-line'))
      : (answer as KeyRotation);
  if (out !== undefined) await writeFile(out, handover);
  context
    .terminal()
    .result({ size, keys, handover }, [
      `New keys sign the log from ${size} entries on. The former ones signed that they do; their private halves are deleted.`,
      ...keys.map((key) => `Key ${key}`),
      'Whoever trusts the former keys follows by themselves. Witnesses do not: send those who run them what `strongroom audit witness --own-keys` writes.',
    ]);
}
