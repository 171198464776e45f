import { useMessages } from '../messages/messages.ts';

/** The kinds that the editor offers. Imports bring their own words, which are shown as they are. */
export const KINDS = ['fact', 'preference', 'person', 'project', 'note', 'conversation', 'relation'] as const;

export function useKindName(): (kind: string) => string {
  const { kinds } = useMessages();
  return (kind) => {
    const known = KINDS.find((name) => name === kind);
    return known === undefined ? kind : kinds[known];
  };
}
