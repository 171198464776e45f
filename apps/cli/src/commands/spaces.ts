import type { Space, Vault } from '@strongroom/client';
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { CliError } from '../errors.ts';
import { unlocked } from '../session.ts';

/** The space named by its id or its name; without a name the only one, or the oldest. Throws `cli.no-space`. */
export async function chooseSpace(vault: Vault, wanted: string | undefined): Promise<Space> {
  const spaces = await vault.listSpaces();
  if (wanted === undefined) {
    const oldest = spaces.toSorted((left, right) => (left.id < right.id ? -1 : 1))[0];
    if (oldest === undefined)
      throw new CliError('cli.no-space', { detail: 'Create one with `strongroom space create NAME`.' });
    return oldest;
  }
  const found = spaces.filter((space) => space.id === wanted || space.name === wanted);
  if (found.length === 1) return found[0]!;
  throw new CliError('cli.no-space', found.length === 0 ? {} : { detail: 'Several have that name; use the id.' });
}

export const SPACE_OPTION = ['--space <space>', 'name or id of the space; your oldest one otherwise'] as const;

export function addSpaceCommands(program: Command, context: CommandContext): void {
  const space = program.command('space').description('create and list spaces');

  space
    .command('create')
    .argument('<name>', 'only you and its members can read it')
    .description('create a space with a key of its own')
    .addHelpText('after', '\nExample:\n  strongroom space create Family')
    .action(async (name: string) => {
      const { vault } = await unlocked(context);
      const created = await vault.createSpace(name);
      context.terminal().result(created, [`${created.id}  ${created.name ?? ''}`]);
    });

  space
    .command('list')
    .description('list the spaces you have a role in')
    .addHelpText('after', '\nExample:\n  strongroom space list')
    .action(async () => {
      const { vault } = await unlocked(context);
      const spaces = await vault.listSpaces();
      const lines = spaces.map((one) => `${one.id}  ${one.role.padEnd(6)}  ${one.name ?? '(does not open)'}`);
      context
        .terminal()
        .result(spaces, lines.length === 0 ? ['No spaces yet: `strongroom space create NAME`.'] : lines);
    });
}
