/** Who belongs to the vault, and who was asked to. */
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Person, RemoteInvitation } from '@strongroom/client';
import { useState } from 'react';
import { useFormats } from '../app/formats.ts';
import { membersChanged, useInvitations, useMembers, useNameOf, useOwnRole } from '../app/people.ts';
import { managesMembers, seesMembers } from '../app/roles.ts';
import { queries, vault } from '../app/session.ts';
import { note } from '../app/toasts.ts';
import { Confirm } from '../design/dialogs.tsx';
import { Icon } from '../design/icon.tsx';
import { KeyDial } from '../design/key-dial.tsx';
import { Problem } from '../design/form.tsx';
import { Button, Notice, Page, Skeleton } from '../design/parts.tsx';
import { errorText, useMessages } from '../messages/messages.ts';
import { OwnFingerprint, TrustLabel } from './compare.tsx';

export function MembersPage() {
  const messages = useMessages();
  const { members: words, fingerprint } = messages;
  const role = useOwnRole();
  const members = useMembers();
  const manages = managesMembers(role);
  const people = members.data ?? [];
  const nameOf = useNameOf();
  const changed = people.filter(({ trust }) => trust === 'changed');
  return (
    <Page title={words.title} lead={words.lead} {...(manages ? { actions: <InviteLink /> } : {})}>
      {changed.length === 0 ? null : (
        <Notice tone="problem" live>
          {words.changedAlert(changed.map(nameOf).join(', '))}
        </Notice>
      )}
      {!seesMembers(role) ? (
        <Notice tone="plain">{words.guest}</Notice>
      ) : members.error !== null && members.data === undefined ? (
        <div className="stack">
          <Problem error={members.error} />
          <div>
            <Button onClick={() => void queries.resetQueries({ queryKey: ['members'] })}>
              {messages.common.tryAgain}
            </Button>
          </div>
        </div>
      ) : members.data === undefined ? (
        <Skeleton lines={6} />
      ) : (
        <ul className="people" aria-label={words.list}>
          {people.map((person) => (
            <li key={person.account}>
              <PersonLine person={person} />
            </li>
          ))}
        </ul>
      )}
      {people.length === 1 && manages ? <p className="quiet">{words.aloneLead}</p> : null}
      {manages && members.data !== undefined ? <Invitations people={people} /> : null}
      <section className="panel">
        <h2>{fingerprint.own}</h2>
        <OwnFingerprint />
        <p className="quiet">{fingerprint.ownLead}</p>
      </section>
    </Page>
  );
}

function InviteLink() {
  const { members } = useMessages();
  return (
    <Link to="/members/invite" className="button button-primary">
      <Icon name="invite" />
      <span>{members.invite}</span>
    </Link>
  );
}

function PersonLine({ person }: { readonly person: Person }) {
  const { spaces, members } = useMessages();
  const nameOf = useNameOf();
  const { account, fingerprint, trust, role } = person;
  return (
    <Link to="/members/$account" params={{ account }} className="person" data-trust={trust}>
      <KeyDial fingerprint={fingerprint} tone={trust} />
      <span className="person-words">
        <span className="person-name">{nameOf(person)}</span>
        <span className="quiet">{spaces.roles[role] ?? role}</span>
      </span>
      {trust === 'self' ? <span className="label label-strong">{members.you}</span> : <TrustLabel trust={trust} />}
      <Icon name="next" />
    </Link>
  );
}

function Invitations({ people }: { readonly people: readonly Person[] }) {
  const messages = useMessages();
  const { members: words } = messages;
  const { moment } = useFormats();
  const nameOf = useNameOf();
  const open = useInvitations(true);
  const [asked, setAsked] = useState<RemoteInvitation | null>(null);
  const withdrawing = useMutation({
    mutationFn: ({ id }: RemoteInvitation) => vault('withdrawInvitation', id),
    onSuccess: () => note(words.withdrawn),
    onError: (error) => note(errorText(messages, error), 'problem'),
    onSettled: membersChanged,
  });
  const roleOf = ({ role }: RemoteInvitation) => messages.spaces.roles[role] ?? role;
  return (
    <section className="panel">
      <h2>{words.openInvitations}</h2>
      {open.error !== null && open.data === undefined ? (
        <Notice tone="problem">{errorText(messages, open.error)}</Notice>
      ) : open.data === undefined ? (
        <Skeleton lines={2} />
      ) : open.data.length === 0 ? (
        <p className="quiet">{words.noInvitations}</p>
      ) : (
        <ul className="people" aria-label={words.openInvitations}>
          {open.data.map((invitation) => (
            <li key={invitation.id} className="person person-still">
              <span className="person-words">
                <span className="person-name">{roleOf(invitation)}</span>
                <span className="quiet">
                  {words.invitedBy(nameOf(people.find(({ account }) => account === invitation.invitedBy)))} ·{' '}
                  {words.expires(moment(invitation.expiresAt))}
                </span>
              </span>
              <Button onClick={() => setAsked(invitation)}>
                {words.withdraw}
                <span className="visually-hidden">: {roleOf(invitation)}</span>
              </Button>
            </li>
          ))}
        </ul>
      )}
      <Confirm
        open={asked !== null}
        title={words.withdrawTitle}
        lead={words.withdrawLead}
        action={words.withdraw}
        onClose={() => setAsked(null)}
        onConfirm={() => {
          if (asked !== null) withdrawing.mutate(asked);
          setAsked(null);
        }}
      />
    </section>
  );
}
