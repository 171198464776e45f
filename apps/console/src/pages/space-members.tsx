/** Who can open a space: sharing it, roles in it, taking somebody out with a new key, leaving. */
import { useMutation } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import type { Role, Space, SpacePerson } from '@strongroom/client';
import type { Uuid } from '@strongroom/kernel';
import { useEffect, useRef, useState } from 'react';
import { lookAtSpaces } from '../app/follow-spaces.ts';
import { changeSpaceRole, unshareSpace, useMembers, useNameOf, useSpaceMembers } from '../app/people.ts';
import { reaches, sharesSpace, SPACE_ROLES } from '../app/roles.ts';
import { queries, vault } from '../app/session.ts';
import { useSpaceName, useSpaces } from '../app/spaces.ts';
import { note } from '../app/toasts.ts';
import { VaultError } from '../app/vault-connection.ts';
import { Confirm } from '../design/dialogs.tsx';
import { KeyDial } from '../design/key-dial.tsx';
import { Problem } from '../design/form.tsx';
import { Button, Notice, Skeleton } from '../design/parts.tsx';
import { errorText, useMessages } from '../messages/messages.ts';
import { Changed, TrustLabel } from './compare.tsx';
import { Detail } from './memory.tsx';
import { RoleMenu } from './role-choice.tsx';
import { ShareSpace } from './share-space.tsx';

export function SpaceMembersPage() {
  const space = useParams({ strict: false }).space as Uuid;
  const messages = useMessages();
  const { sharing: words } = messages;
  const spaceName = useSpaceName();
  const here = useSpaces().data?.find(({ id }) => id === space);
  const members = useSpaceMembers(space);
  const heading = useRef<HTMLHeadingElement>(null);
  const title = words.title(spaceName(here));
  useEffect(() => {
    document.title = `${title} · ${messages.name}`;
    heading.current?.focus({ preventScroll: true });
  }, [title, messages.name]);
  return (
    <Detail space={space}>
      <div className="stack sharing">
        <h1 ref={heading} tabIndex={-1} className="memory-title">
          {title}
        </h1>
        <p className="quiet">{words.lead}</p>
        {members.error !== null && members.data === undefined ? (
          <div className="stack">
            <Problem error={members.error} />
            <div>
              <Button onClick={() => void queries.resetQueries({ queryKey: ['space-members', space] })}>
                {messages.common.tryAgain}
              </Button>
            </div>
          </div>
        ) : members.data === undefined || here === undefined ? (
          <Skeleton lines={6} />
        ) : (
          <SpaceMembers space={here} people={members.data} />
        )}
      </div>
    </Detail>
  );
}

function SpaceMembers({ space, people }: { readonly space: Space; readonly people: readonly SpacePerson[] }) {
  const { sharing: words } = useMessages();
  const nameOf = useNameOf();
  const [asked, setAsked] = useState<SpacePerson | null>(null);
  const removing = useMutation({
    mutationFn: (person: SpacePerson) => unshareSpace(space.id, [person.account]),
    onSuccess: (_space, person) => note(words.removed(nameOf(person))),
  });
  const shares = sharesSpace(space.role);
  const changed = people.find(({ trust }) => trust === 'changed');
  return (
    <>
      {changed === undefined ? null : <Changed name={nameOf(changed)} />}
      {space.rotationDue ? <RotationDue space={space} people={people} /> : null}
      <ul className="people" aria-label={words.list}>
        {people.map((person) => (
          <li key={person.account}>
            <SpacePersonLine
              space={space}
              person={person}
              whole={Math.max(...people.map(({ epochs }) => epochs.length))}
              onRemove={() => setAsked(person)}
            />
          </li>
        ))}
      </ul>
      {people.length === 1 ? <p className="quiet">{words.onlyYou}</p> : null}
      {removing.error === null ? null : <KeyProblem error={removing.error} people={people} />}
      {shares ? <ShareSpace space={space} inside={people} /> : null}
      <Leave space={space} people={people} />
      <Confirm
        open={asked !== null}
        title={asked === null ? '' : words.removeTitle(nameOf(asked))}
        lead={asked === null ? '' : words.removeLead(nameOf(asked))}
        action={words.remove}
        onClose={() => setAsked(null)}
        onConfirm={() => {
          if (asked !== null) removing.mutate(asked);
          setAsked(null);
        }}
      />
    </>
  );
}

interface LineProps {
  readonly space: Space;
  readonly person: SpacePerson;
  /** Keys that somebody holds who was given all of them. */
  readonly whole: number;
  readonly onRemove: () => void;
}

function SpacePersonLine({ space, person, whole, onRemove }: LineProps) {
  const messages = useMessages();
  const { sharing: words, members } = messages;
  const { fingerprint, trust, role, epochs } = person;
  const nameOf = useNameOf();
  const name = nameOf(person);
  const self = trust === 'self';
  const may = !self && sharesSpace(space.role) && reaches(space.role, role);
  return (
    <div className="person person-still" data-trust={trust}>
      <KeyDial fingerprint={fingerprint} tone={trust} />
      <span className="person-words">
        <span className="person-name">
          {name} {self ? <span className="label label-strong">{members.you}</span> : null}
        </span>
        <span className="quiet person-facts">
          {may ? null : <span>{messages.spaces.roles[role] ?? role}</span>}
          {self ? null : <Trusted person={person} />}
          {epochs.length < whole ? <span>{words.oldKeys}</span> : null}
        </span>
      </span>
      {may ? (
        <span className="person-tools">
          <SpaceRole space={space} person={person} />
          <Button look="quiet" icon="clear" iconOnly onClick={onRemove}>
            {`${words.remove}: ${name}`}
          </Button>
        </span>
      ) : null}
    </div>
  );
}

/** To the page where fingerprints are compared, for whoever may see it. */
function Trusted({ person: { account, trust } }: { readonly person: SpacePerson }) {
  const inVault = useMembers().data?.some((member) => member.account === account) ?? false;
  if (!inVault) return <TrustLabel trust={trust} />;
  return (
    <Link to="/members/$account" params={{ account }} className="trust-link">
      <TrustLabel trust={trust} />
    </Link>
  );
}

function SpaceRole({ space, person }: { readonly space: Space; readonly person: SpacePerson }) {
  const messages = useMessages();
  const { sharing: words } = messages;
  const name = useNameOf()(person);
  const { account, role: before } = person;
  const changing = useMutation({
    mutationFn: (role: Role) => changeSpaceRole(space.id, { account, name, before, role }),
    onError: (error) => note(errorText(messages, error), 'problem'),
  });
  return (
    <RoleMenu
      label={words.roleOf(name)}
      role={changing.isPending ? changing.variables : before}
      offered={SPACE_ROLES.filter((role) => reaches(space.role, role))}
      leads={words.roles}
      busy={changing.isPending}
      onChange={(role) => changing.mutate(role)}
    />
  );
}

function RotationDue({ space, people }: { readonly space: Space; readonly people: readonly SpacePerson[] }) {
  const { sharing: words } = useMessages();
  const rotating = useMutation({
    mutationFn: () => unshareSpace(space.id, []),
    onSuccess: () => note(words.rotated),
  });
  if (!sharesSpace(space.role)) return <Notice tone="plain">{words.rotationDueMember}</Notice>;
  return (
    <div className="stack">
      <Notice tone="problem">{words.rotationDue}</Notice>
      {rotating.error === null ? null : <KeyProblem error={rotating.error} people={people} />}
      <div>
        <Button look="primary" icon="key" busy={rotating.isPending} onClick={() => rotating.mutate()}>
          {rotating.isPending ? words.rotating : words.rotate}
        </Button>
      </div>
    </div>
  );
}

/** A new key goes to everybody who stays; somebody among them is not known here, and there is a page to change that. */
function KeyProblem({ error, people }: { readonly error: Error; readonly people: readonly SpacePerson[] }) {
  const messages = useMessages();
  const { sharing: words } = messages;
  const nameOf = useNameOf();
  const about = error instanceof VaultError ? error.members['account'] : undefined;
  const person = people.find(({ account }) => account === about);
  if (person === undefined) {
    return <Problem error={error} />;
  }
  return (
    <Notice tone="problem" live>
      {words.blocked(nameOf(person))}{' '}
      <Link to="/members/$account" params={{ account: person.account }}>
        {words.compareFirst(nameOf(person))}
      </Link>
    </Notice>
  );
}

function Leave({ space, people }: { readonly space: Space; readonly people: readonly SpacePerson[] }) {
  const messages = useMessages();
  const { sharing: words } = messages;
  const [asked, setAsked] = useState(false);
  const navigate = useNavigate();
  const leaving = useMutation({
    mutationFn: () => vault('leaveSpace', space.id),
    async onSuccess() {
      note(words.left);
      await navigate({ to: '/spaces' });
      await lookAtSpaces();
    },
    onError: (error) => note(errorText(messages, error), 'problem'),
  });
  const lastOwner = space.role === 'owner' && people.filter(({ role }) => role === 'owner').length === 1;
  // Alone in it: there is nobody to leave it to.
  if (people.length === 1) return null;
  return (
    <section className="panel">
      <h2>{words.leave}</h2>
      <p className="quiet">{lastOwner ? words.lastOwner : words.leaveLead}</p>
      {lastOwner ? null : (
        <div>
          <Button look="danger" busy={leaving.isPending} onClick={() => setAsked(true)}>
            {words.leave}
          </Button>
        </div>
      )}
      <Confirm
        open={asked}
        title={words.leaveTitle}
        lead={words.leaveLead}
        action={words.leave}
        onClose={() => setAsked(false)}
        onConfirm={() => {
          setAsked(false);
          leaving.mutate();
        }}
      />
    </section>
  );
}
