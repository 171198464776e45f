/** Letting somebody in: who, as what, and only to a key that this device knows. */
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Space, SpacePerson } from '@strongroom/client';
import type { Uuid } from '@strongroom/kernel';
import { useState } from 'react';
import { membersChanged, useMembers, useNameOf, useOwnRole } from '../app/people.ts';
import { managesMembers, reaches, seesMembers, SPACE_ROLES } from '../app/roles.ts';
import { vault } from '../app/session.ts';
import { note } from '../app/toasts.ts';
import { Icon } from '../design/icon.tsx';
import { Form, Problem } from '../design/form.tsx';
import { Button, Choice, Notice, Skeleton } from '../design/parts.tsx';
import { errorText, useMessages } from '../messages/messages.ts';
import { Compare } from './compare.tsx';
import { RoleChoice } from './role-choice.tsx';

export function ShareSpace({ space, inside }: { readonly space: Space; readonly inside: readonly SpacePerson[] }) {
  const messages = useMessages();
  const { sharing: words, members: membersWords } = messages;
  const nameOf = useNameOf();
  const ownRole = useOwnRole();
  const members = useMembers();
  const [account, setAccount] = useState<Uuid | ''>('');
  const [role, setRole] = useState<(typeof SPACE_ROLES)[number]>('viewer');
  const [history, setHistory] = useState(true);
  const outside = members.data?.filter((person) => !inside.some((member) => member.account === person.account)) ?? [];
  const person = outside.find((one) => one.account === account);
  const sharing = useMutation({
    mutationFn: (recipient: Uuid) => vault('shareSpace', space.id, recipient, role, history),
    onSuccess(_answer, recipient) {
      note(words.shared(nameOf(outside.find((one) => one.account === recipient))));
      setAccount('');
    },
    // Also when it failed: somebody else may have changed who is here.
    onSettled: membersChanged,
  });
  const known = person !== undefined && (person.trust === 'compared' || person.trust === 'accepted');
  return (
    <section className="panel">
      <h2>{words.add}</h2>
      {!seesMembers(ownRole) ? (
        <p className="quiet">{membersWords.guest}</p>
      ) : members.data === undefined ? (
        members.error === null ? (
          <Skeleton lines={3} />
        ) : (
          <Notice tone="problem">{errorText(messages, members.error)}</Notice>
        )
      ) : outside.length === 0 ? (
        <>
          <p className="quiet">{members.data.length === 1 ? words.nobody : words.everybody}</p>
          {managesMembers(ownRole) ? (
            <div>
              <Link to="/members/invite" className="button button-plain">
                <Icon name="invite" />
                <span>{membersWords.invite}</span>
              </Link>
            </div>
          ) : null}
        </>
      ) : (
        <>
          <Choice
            label={words.person}
            value={account}
            options={[['', words.choose], ...outside.map((one) => [one.account, nameOf(one)] as const)]}
            onChange={(next: Uuid | '') => {
              setAccount(next);
              sharing.reset();
            }}
          />
          {person === undefined ? null : known ? (
            <Form onSubmit={() => (sharing.isPending ? undefined : sharing.mutate(person.account))}>
              <RoleChoice
                legend={words.asRole}
                roles={SPACE_ROLES.filter((one) => reaches(space.role, one))}
                leads={words.roles}
                value={role}
                onChange={setRole}
              />
              <label className="check">
                <input type="checkbox" checked={history} onChange={(event) => setHistory(event.target.checked)} />
                <span>
                  {words.history}
                  <span className="quiet check-lead">{words.historyLead}</span>
                </span>
              </label>
              <div>
                <Button look="primary" icon="key" type="submit" busy={sharing.isPending}>
                  {sharing.isPending ? words.busy : words.submit}
                </Button>
              </div>
            </Form>
          ) : (
            <div className="stack">
              {person.trust === 'changed' ? null : <p>{words.needKey(nameOf(person))}</p>}
              <Compare
                key={person.account}
                account={person.account}
                name={nameOf(person)}
                fingerprint={person.fingerprint}
                trust={person.trust}
              />
            </div>
          )}
          <Problem error={sharing.error} />
        </>
      )}
    </section>
  );
}
