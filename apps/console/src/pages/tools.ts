/** Where else than to memories one can go: beside every page, in the menu of phones, and in the commands. */
import type { LinkProps } from '@tanstack/react-router';
import { useAccountRole } from '../app/people.ts';
import { readsAudit } from '../app/roles.ts';
import type { IconName } from '../design/icon.tsx';
import { useMessages } from '../messages/messages.ts';

export interface Tool {
  readonly to: NonNullable<LinkProps['to']>;
  readonly icon: IconName;
  readonly name: string;
}

export function useTools(): readonly Tool[] {
  const { navigation, members } = useMessages();
  const audits = readsAudit(useAccountRole() ?? 'guest');
  return [
    { to: '/members', icon: 'members', name: members.title },
    { to: '/import', icon: 'import', name: navigation.import },
    { to: '/export', icon: 'export', name: navigation.export },
    ...(audits ? [{ to: '/audit', icon: 'audit', name: navigation.audit } as const] : []),
    { to: '/sessions', icon: 'sessions', name: navigation.sessions },
    { to: '/account', icon: 'account', name: navigation.account },
  ];
}
