import { Autocomplete } from '@base-ui/react/autocomplete';
import { Dialog } from '@base-ui/react/dialog';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useDeferredValue, useState } from 'react';
import { focusSearch } from '../app/focus-search.ts';
import { useAccountRole } from '../app/people.ts';
import { managesMembers } from '../app/roles.ts';
import { lock, signOut, vault } from '../app/session.ts';
import { setPreferences } from '../app/preferences.ts';
import { useSpaceName, useSpaces } from '../app/spaces.ts';
import { Icon, type IconName } from '../design/icon.tsx';
import { useMessages } from '../messages/messages.ts';
import { type Tool, useTools } from './tools.ts';

interface Item {
  readonly value: string;
  readonly label: string;
  readonly icon: IconName;
  readonly run: () => unknown;
}

interface Group {
  readonly value: string;
  readonly items: Item[];
}

/** Memories offered beside the commands. */
const MEMORIES = 5;

export function Commands(props: {
  readonly open: boolean;
  readonly onClose: () => void;
  readonly onShortcuts: () => void;
}) {
  const { open, onClose, onShortcuts } = props;
  const { commands } = useMessages();
  return (
    <Dialog.Root open={open} onOpenChange={(next) => (next ? undefined : onClose())}>
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop" />
        <Dialog.Popup className="dialog palette" aria-label={commands.title}>
          <Palette onClose={onClose} onShortcuts={onShortcuts} />
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Palette({ onClose, onShortcuts }: { readonly onClose: () => void; readonly onShortcuts: () => void }) {
  const { commands, common } = useMessages();
  const [text, setText] = useState('');
  const groups = useGroups(text, onShortcuts);
  const wanted = text.trim().toLocaleLowerCase();
  const shown = groups.flatMap((group) => {
    // Memories were found by the vault's own search, which forgives more than a comparison of letters.
    const items =
      group.value === commands.memories || wanted === ''
        ? group.items
        : group.items.filter((item) => item.label.toLocaleLowerCase().includes(wanted));
    return items.length === 0 ? [] : [{ ...group, items }];
  });
  const run = (item: Item) => {
    onClose();
    // After the dialog gave the focus back, so that what runs can move it.
    setTimeout(() => item.run(), 0);
  };
  return (
    <Autocomplete.Root
      open
      inline
      items={shown}
      mode="none"
      value={text}
      onValueChange={setText}
      autoHighlight="always"
      keepHighlight
      itemToStringValue={(item: Item) => item.label}
    >
      <div className="palette-box">
        <Icon name="search" />
        <Autocomplete.Input
          className="palette-input"
          placeholder={commands.placeholder}
          aria-label={commands.placeholder}
        />
        <Dialog.Close className="button button-quiet button-icon" aria-label={common.close}>
          <Icon name="clear" />
        </Dialog.Close>
      </div>
      <Autocomplete.Empty className="palette-empty">{commands.none}</Autocomplete.Empty>
      <Autocomplete.List className="palette-list">
        {(group: Group) => (
          <Autocomplete.Group key={group.value} items={group.items} className="palette-group">
            <Autocomplete.GroupLabel className="palette-label">{group.value}</Autocomplete.GroupLabel>
            <Autocomplete.Collection>
              {(item: Item) => (
                <Autocomplete.Item key={item.value} value={item} className="palette-item" onClick={() => run(item)}>
                  <Icon name={item.icon} />
                  <span>{item.label}</span>
                </Autocomplete.Item>
              )}
            </Autocomplete.Collection>
          </Autocomplete.Group>
        )}
      </Autocomplete.List>
    </Autocomplete.Root>
  );
}

function useGroups(text: string, onShortcuts: () => void): Group[] {
  const { commands, navigation, life, members, sharing } = useMessages();
  const ownRole = useAccountRole();
  const navigate = useNavigate();
  const spaces = useSpaces();
  const nameOf = useSpaceName();
  const params = useParams({ strict: false });
  const space = params.space ?? spaces.data?.[0]?.id;
  const query = useDeferredValue(text.trim());
  const found = useQuery({
    queryKey: ['search', space, query, MEMORIES],
    queryFn: () => vault('search', space as never, query, MEMORIES),
    enabled: query.length > 1 && space !== undefined,
    placeholderData: (before) => before,
  });
  const go = (to: Tool['to'], icon: IconName, label: string): Item => ({
    value: to,
    label,
    icon,
    run: () => navigate({ to }),
  });
  const tools = useTools();
  return [
    {
      value: commands.actions,
      items: [
        {
          value: 'write',
          label: commands.write,
          icon: 'write',
          run: () =>
            space === undefined
              ? navigate({ to: '/spaces' })
              : navigate({ to: '/spaces/$space/write', params: { space } }),
        },
        {
          value: 'search',
          label: commands.search,
          icon: 'search',
          run: () =>
            focusSearch(
              () => void (space === undefined ? undefined : navigate({ to: '/spaces/$space', params: { space } })),
            ),
        },
        ...(params.space === undefined
          ? []
          : [
              {
                value: 'share',
                label: sharing.members,
                icon: 'key' as const,
                run: () => navigate({ to: '/spaces/$space/members', params: { space: params.space! } }),
              },
            ]),
        ...(managesMembers(ownRole ?? '')
          ? [
              {
                value: 'invite',
                label: members.invite,
                icon: 'invite' as const,
                run: () => navigate({ to: '/members/invite' }),
              },
            ]
          : []),
        { value: 'lock', label: commands.lock, icon: 'lock', run: () => lock() },
        { value: 'shortcuts', label: commands.shortcuts, icon: 'commands', run: onShortcuts },
        { value: 'light', label: commands.light, icon: 'show', run: () => setPreferences({ theme: 'light' }) },
        { value: 'dark', label: commands.dark, icon: 'hide', run: () => setPreferences({ theme: 'dark' }) },
        { value: 'system', label: commands.system, icon: 'sessions', run: () => setPreferences({ theme: 'system' }) },
        { value: 'sign-out', label: commands.signOut, icon: 'account', run: () => signOut() },
      ],
    },
    {
      value: commands.spaces,
      items: (spaces.data ?? []).map((each) => ({
        value: each.id,
        label: nameOf(each),
        icon: 'spaces' as const,
        run: () => navigate({ to: '/spaces/$space', params: { space: each.id } }),
      })),
    },
    {
      value: commands.go,
      items: [
        ...tools.map(({ to, icon, name }) => go(to, icon, name)),
        go('/spaces', 'spaces', navigation.manageSpaces),
        go('/account/password', 'lock', life.password),
        go('/account/recovery-code', 'print', life.recoveryCode),
        go('/account/email', 'account', life.email),
        go('/account/delete', 'delete', life.delete),
      ],
    },
    // Last: they arrive a moment later and must not push away what somebody is about to choose.
    {
      value: commands.memories,
      items:
        query.length > 1
          ? (found.data ?? []).map((row) => ({
              value: row.id,
              label: row.heading,
              icon: 'memories' as const,
              run: () =>
                navigate({ to: '/spaces/$space/memories/$memory', params: { space: row.space, memory: row.id } }),
            }))
          : [],
    },
  ];
}
