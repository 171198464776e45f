/** `strongroom member`, and sharing with `strongroom space`. */
import type { Person, Role, SpacePerson, Vault } from '@strongroom/client';
import { isUuid, parseUuid, type Uuid } from '@strongroom/kernel';
import { Argument, type Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { CliError } from '../errors.ts';
import { password, unlocked } from '../session.ts';
import { chooseSpace } from './spaces.ts';

const ROLES: readonly Role[] = ['owner', 'admin', 'member', 'viewer', 'guest'];

const roleArgument = (): Argument => new Argument('<role>', 'what they may').choices(ROLES);

const TRUST: Readonly<Record<Person['trust'], string>> = {
  self: 'you',
  compared: 'compared',
  accepted: 'taken as shown',
  unknown: 'not compared',
  changed: 'KEY CHANGED',
};

const personLine = ({ account, displayName, role, trust, fingerprint }: Person): string =>
  `${account}  ${role.padEnd(6)}  ${(displayName ?? '(deleted)').padEnd(20)}  ${TRUST[trust].padEnd(14)}  ${fingerprint ?? ''}`;

/** By id, or by a name that only one person has. */
function choose<Somebody extends Person>(people: readonly Somebody[], wanted: string): Somebody {
  const found = people.filter(({ account, displayName }) => account === wanted || displayName === wanted);
  if (found.length === 1) return found[0]!;
  const detail = found.length === 0 ? `Nobody here is called ${wanted}.` : 'Several have that name; use the id.';
  throw new CliError('cli.no-member', { detail });
}

/** Members of the tenant where one may see them, else of the space. */
const accountOf = async (vault: Vault, wanted: string): Promise<Uuid> =>
  isUuid(wanted) ? wanted : choose(await vault.members(), wanted).account;

async function proved(context: CommandContext, vault: Vault, email: string): Promise<void> {
  await vault.reauthenticate(await password(context, `Password of ${email}, once more`));
}

async function confirm(context: CommandContext, yes: true | undefined, question: string): Promise<void> {
  if (yes === true) return;
  if (!context.terminal().interactive)
    throw new CliError('cli.usage', { detail: 'Say --yes where nobody can be asked.' });
  if (!(await context.terminal().confirm(question))) throw new CliError('cli.cancelled');
}

export function addMemberCommands(program: Command, context: CommandContext): void {
  const member = program.command('member').description('the people of your vault: invite, compare keys, roles');

  member
    .command('list')
    .description('who belongs to your tenant, with fingerprints to compare')
    .addHelpText('after', '\nExample:\n  strongroom member list')
    .action(async () => {
      const { vault } = await unlocked(context);
      const people = await vault.members();
      context.terminal().result(people, people.map(personLine));
    });

  member
    .command('invite')
    .addArgument(roleArgument())
    .description('make an invitation link; it also tells the invited person your key')
    .addHelpText(
      'after',
      '\nThe link is shown once; send it to the person and to nobody else.\n\nExample:\n  strongroom member invite member',
    )
    .action(async (role: Role) => {
      const { vault, profile } = await unlocked(context);
      await proved(context, vault, profile.email);
      const { id, code, expiresAt } = await vault.invite(role);
      const link = `${profile.server}/join#${code}`;
      context.terminal().result({ id, role, link, expiresAt }, [link, `Good until ${expiresAt.slice(0, 16)}, once.`]);
    });

  member
    .command('invitations')
    .description('list open invitations')
    .addHelpText('after', '\nExample:\n  strongroom member invitations')
    .action(async () => {
      const { vault } = await unlocked(context);
      const open = await vault.invitations();
      const lines = open.map(({ id, role, expiresAt }) => `${id}  ${role.padEnd(6)}  until ${expiresAt.slice(0, 16)}`);
      context.terminal().result(open, lines.length === 0 ? ['None.'] : lines);
    });

  member
    .command('withdraw')
    .argument('<invitation>', 'as `member invitations` prints it')
    .description('withdraw an open invitation')
    .addHelpText('after', '\nExample:\n  strongroom member withdraw 0190…')
    .action(async (invitation: string) => {
      const id = parseUuid(invitation, 'invitation');
      const { vault } = await unlocked(context);
      await vault.withdrawInvitation(id);
      context.terminal().result({ id, withdrawn: true }, ['Withdrawn.']);
    });

  member
    .command('trust')
    .argument('<person>', 'name or id')
    .argument('<fingerprint...>', 'as the person reads it out from `strongroom account fingerprint`')
    .description("remember somebody's key by its fingerprint, so that you can share with them")
    .option('--not-compared', 'take it as the server shows it, without having asked')
    .addHelpText('after', '\nExample:\n  strongroom member trust Ben 65060 97361 74469 54346 69591 36019')
    .action(async (wanted: string, digits: readonly string[], options: { notCompared?: true }) => {
      const { vault } = await unlocked(context);
      // Those who shared something with you count as well, though you may not see them among the members.
      const pending = (await vault.listSpaces()).flatMap((space) => space.pending ?? []);
      const sharer = pending.find(({ account, displayName }) => account === wanted || displayName === wanted);
      const account = sharer?.account ?? (await accountOf(vault, wanted));
      await vault.trust(account, digits.join(' '), { compared: options.notCompared !== true });
      context
        .terminal()
        .result({ account, trusted: true }, ['Remembered. If the server ever shows another key, you will be told.']);
    });

  member
    .command('role')
    .argument('<person>', 'name or id')
    .addArgument(roleArgument())
    .description('give somebody another role in the tenant, up to your own')
    .addHelpText('after', '\nExample:\n  strongroom member role Ben admin')
    .action(async (wanted: string, role: Role) => {
      const { vault, profile } = await unlocked(context);
      const account = await accountOf(vault, wanted);
      await proved(context, vault, profile.email);
      await vault.changeRole(account, role);
      context.terminal().result({ account, role }, [`Is ${role} now.`]);
    });

  member
    .command('remove')
    .argument('<person>', 'name or id')
    .description('remove somebody from the tenant and all its spaces, and end their sessions')
    .option('--ending-spaces <count>', 'how many spaces only they are in, which end with them', '0')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      '\nSpaces they were in should get a new key afterwards: `strongroom space rotate`.\n\nExample:\n  strongroom member remove Ben',
    )
    .action(async (wanted: string, options: { endingSpaces: string; yes?: true }) => {
      if (!/^\d{1,6}$/.test(options.endingSpaces)) throw new CliError('cli.usage', { detail: 'A count is a number.' });
      const { vault, profile } = await unlocked(context);
      const account = await accountOf(vault, wanted);
      await confirm(context, options.yes, `Remove ${wanted} from the tenant?`);
      await proved(context, vault, profile.email);
      const removed = await vault.removeMember(account, { endingSpaces: Number(options.endingSpaces) });
      const due = (await vault.listSpaces()).filter(({ rotationDue }) => rotationDue);
      context
        .terminal()
        .result({ ...removed, rotationDue: due.map(({ id }) => id) }, [
          'Removed.',
          ...due.map(({ id, name }) => `Give ${name ?? id} a new key: strongroom space rotate ${id}`),
        ]);
    });
}

/** Under the `space` command that is there already. */
export function addSharingCommands(program: Command, context: CommandContext): void {
  const space = program.commands.find((command) => command.name() === 'space')!;

  space
    .command('members')
    .argument('<space>', 'name or id')
    .description('who is in a space')
    .addHelpText('after', '\nExample:\n  strongroom space members Family')
    .action(async (wanted: string) => {
      const { vault } = await unlocked(context);
      const people: SpacePerson[] = await vault.spaceMembers((await chooseSpace(vault, wanted)).id);
      context.terminal().result(people, people.map(personLine));
    });

  space
    .command('share')
    .argument('<space>', 'name or id')
    .argument('<person>', 'name or id')
    .addArgument(roleArgument())
    .description('let somebody into a space, or change their role in it')
    .option('--no-history', 'only what is sealed under the present key and later ones')
    .addHelpText(
      'after',
      '\nThe key goes sealed to the person; their fingerprint has to be known first (`strongroom member trust`).\n\nExample:\n  strongroom space share Family Ben viewer',
    )
    .action(async (wanted: string, person: string, role: Role, options: { history: boolean }) => {
      const { vault } = await unlocked(context);
      const { id } = await chooseSpace(vault, wanted);
      const account = await accountOf(vault, person);
      await vault.shareSpace(id, account, role, { history: options.history });
      context.terminal().result({ space: id, account, role }, [`Shared: ${role}.`]);
    });

  space
    .command('unshare')
    .argument('<space>', 'name or id')
    .argument('<people...>', 'names or ids')
    .description('remove members and give the space a new key, so that later memories stay closed to them')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      '\nWhat they could read until now they may have kept.\n\nExample:\n  strongroom space unshare Family Ben',
    )
    .action(async (wanted: string, names: readonly string[], options: { yes?: true }) => {
      const { vault } = await unlocked(context);
      const { id } = await chooseSpace(vault, wanted);
      const people = await vault.spaceMembers(id);
      const removed = names.map((name) => choose(people, name).account);
      await confirm(context, options.yes, `Remove ${names.join(', ')} from ${wanted}?`);
      const left = await vault.unshareSpace(id, removed);
      context
        .terminal()
        .result({ space: id, removed, members: people.length - removed.length }, [
          `${left.name ?? id} has a new key. ${removed.length} removed.`,
        ]);
    });

  space
    .command('rotate')
    .argument('<space>', 'name or id')
    .description('give a space a new key: when somebody left, or a key may have become known')
    .addHelpText('after', '\nExample:\n  strongroom space rotate Family')
    .action(async (wanted: string) => {
      const { vault } = await unlocked(context);
      const { id } = await chooseSpace(vault, wanted);
      const rotated = await vault.rotateSpace(id);
      context.terminal().result(rotated, [`${rotated.name ?? id} has a new key.`]);
    });

  space
    .command('leave')
    .argument('<space>', 'name or id')
    .description('leave a space that others share with you')
    .option('--yes', 'do not ask')
    .addHelpText('after', '\nExample:\n  strongroom space leave Family')
    .action(async (wanted: string, options: { yes?: true }) => {
      const { vault } = await unlocked(context);
      const { id } = await chooseSpace(vault, wanted);
      await confirm(context, options.yes, `Leave ${wanted}?`);
      await vault.leaveSpace(id);
      context.terminal().result({ space: id, left: true }, ['Left.']);
    });
}
