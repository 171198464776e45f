/** A space that cannot be shown as a list: not opened yet, not among one's own any more, or not to be written in. */
import { Link, useParams } from '@tanstack/react-router';
import type { PendingKey, Space } from '@strongroom/client';
import type { Uuid } from '@strongroom/kernel';
import { useEffect, useRef } from 'react';
import { useNameOf, useSpaceMembers } from '../app/people.ts';
import { sharesSpace, writesInSpace } from '../app/roles.ts';
import { useSpaceName, useSpaces } from '../app/spaces.ts';
import { Icon } from '../design/icon.tsx';
import { Page } from '../design/parts.tsx';
import { useMessages } from '../messages/messages.ts';
import { Compare } from './compare.tsx';
import { Detail } from './memory.tsx';

/** Somebody shared it whose key is not known here. */
export function WaitingSpace({ pending }: { readonly pending: PendingKey }) {
  const { sharing: words } = useMessages();
  const nameOf = useNameOf();
  const name = nameOf(pending);
  const { account, fingerprint, reason } = pending;
  return (
    <Page title={words.pendingTitle(name)} lead={words.pendingLead(name)}>
      <section className="panel">
        <Compare
          account={account}
          name={name}
          fingerprint={fingerprint}
          trust={reason === 'changed' ? 'changed' : 'unknown'}
        />
      </section>
    </Page>
  );
}

export function GoneSpace() {
  const { sharing: words } = useMessages();
  return (
    <Page title={words.goneTitle} lead={words.goneLead}>
      <div>
        <Link to="/spaces" className="button button-primary">
          <Icon name="spaces" />
          <span>{words.toSpaces}</span>
        </Link>
      </div>
    </Page>
  );
}

/** False as long as the role is not known. */
export function useReadOnly(space: Uuid): boolean {
  const role = useSpaces().data?.find(({ id }) => id === space)?.role;
  return role !== undefined && !writesInSpace(role);
}

/** In place of the editor for whoever may only read: why, who can change that, and where else there is room to write. */
export function ReadOnly() {
  const space = useParams({ strict: false }).space as Uuid;
  const { sharing: words, spaces: spacesWords, name } = useMessages();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${words.viewerTitle} · ${name}`;
    heading.current?.focus({ preventScroll: true });
  }, [words, name]);
  const nameOf = useNameOf();
  const spaceName = useSpaceName();
  const spaces = useSpaces();
  const members = useSpaceMembers(space);
  const role = spaces.data?.find(({ id }) => id === space)?.role ?? 'viewer';
  const able = members.data?.filter((person) => sharesSpace(person.role)).map(nameOf) ?? [];
  const elsewhere = spaces.data?.filter((each: Space) => each.name !== null && writesInSpace(each.role)) ?? [];
  return (
    <Detail space={space}>
      <div className="stack">
        <h1 ref={heading} tabIndex={-1} className="memory-title">
          {words.viewerTitle}
        </h1>
        <p>{words.viewerLead(spacesWords.roles[role] ?? role)}</p>
        {able.length === 0 ? null : <p>{words.viewerAsk(able.join(', '))}</p>}
        {elsewhere.length === 0 ? null : (
          <>
            <h2>{words.viewerElsewhere}</h2>
            <ul className="row">
              {elsewhere.map((each) => (
                <li key={each.id}>
                  <Link to="/spaces/$space/write" params={{ space: each.id }} className="button button-plain">
                    <Icon name="write" />
                    <span>{spaceName(each)}</span>
                  </Link>
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
    </Detail>
  );
}

/** Where the list of members is one step away. */
export function ManageLink({ space }: { readonly space: Uuid }) {
  const { sharing } = useMessages();
  return (
    <Link
      to="/spaces/$space/members"
      params={{ space }}
      className="button button-quiet button-icon"
      title={sharing.members}
      aria-label={sharing.members}
    >
      <Icon name="members" />
    </Link>
  );
}
