/** One person: whether their key is known, what they may do in the vault, and how they leave it. */
import { useMutation } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import type { Person, Role } from '@strongroom/client';
import { useState } from 'react';
import { changeRole, trust as remember, useMembers, useNameOf, useOwnRole } from '../app/people.ts';
import { managesMembers, reaches, ROLES, seesMembers } from '../app/roles.ts';
import { note } from '../app/toasts.ts';
import { Icon } from '../design/icon.tsx';
import { KeyDial } from '../design/key-dial.tsx';
import { Problem } from '../design/form.tsx';
import { Button, Notice, Page, Skeleton } from '../design/parts.tsx';
import { errorText, useMessages } from '../messages/messages.ts';
import { Compare, Digits, TrustLabel } from './compare.tsx';
import { useProof } from './proof.tsx';
import { RemovePerson } from './remove-person.tsx';
import { RoleChoice } from './role-choice.tsx';

export function PersonPage() {
  const { account } = useParams({ from: '/app/members/$account' });
  const messages = useMessages();
  const { members: words, common } = messages;
  const nameOf = useNameOf();
  const ownRole = useOwnRole();
  const members = useMembers();
  const person = members.data?.find((one) => one.account === account);
  if (members.data === undefined) {
    return (
      <Page title={words.title}>
        {!seesMembers(ownRole) ? (
          <Notice tone="plain">{words.guest}</Notice>
        ) : members.error === null ? (
          <Skeleton lines={6} />
        ) : (
          <Problem error={members.error} />
        )}
      </Page>
    );
  }
  if (person === undefined) {
    return (
      <Page title={words.notAMember} lead={words.notAMemberLead}>
        <div>
          <Link to="/members" className="button button-plain">
            <Icon name="back" />
            <span>{words.all}</span>
          </Link>
        </div>
      </Page>
    );
  }
  const back = (
    <Link to="/members" className="button button-quiet" aria-label={`${common.back}: ${words.all}`}>
      <Icon name="back" />
      <span>{words.all}</span>
    </Link>
  );
  return (
    <Page title={nameOf(person)} actions={back}>
      <Key person={person} key={`${person.account}/${person.fingerprint}`} />
      <TenantRole person={person} key={`${person.account}/${person.role}`} />
      <Removal person={person} />
    </Page>
  );
}

function Key({ person }: { readonly person: Person }) {
  const messages = useMessages();
  const { fingerprint: words } = messages;
  const { account, fingerprint, trust } = person;
  const name = useNameOf()(person);
  const leads = { compared: words.comparedLead, accepted: words.acceptedLead, unknown: words.unknownLead };
  const doubting = useMutation({
    mutationFn: () => remember(account, fingerprint ?? '', false),
    onSuccess: () => note(words.doubted(name)),
    onError: (error) => note(errorText(messages, error), 'problem'),
  });
  return (
    <section className="panel">
      <header className="panel-header">
        <h2>{trust === 'self' ? words.own : words.title}</h2>
        {trust === 'self' ? null : <TrustLabel trust={trust} />}
      </header>
      {trust === 'self' || trust === 'compared' ? (
        <>
          <div className="compare-key">
            <KeyDial fingerprint={fingerprint} tone={trust} large />
            {fingerprint === null ? <p>{words.none}</p> : <Digits fingerprint={fingerprint} label={words.title} />}
          </div>
          <p className="quiet">{trust === 'self' ? words.ownLead : words.comparedLead(name)}</p>
          {trust === 'self' ? null : (
            <div>
              <Button look="quiet" busy={doubting.isPending} onClick={() => doubting.mutate()}>
                {words.doubt}
              </Button>
            </div>
          )}
        </>
      ) : (
        <>
          {trust === 'changed' || fingerprint === null ? null : <p className="quiet">{leads[trust](name)}</p>}
          <Compare account={account} name={name} fingerprint={fingerprint} trust={trust} />
        </>
      )}
    </section>
  );
}

function TenantRole({ person }: { readonly person: Person }) {
  const messages = useMessages();
  const { members: words, spaces } = messages;
  const own = useOwnRole();
  const name = useNameOf()(person);
  const before = person.role;
  const [role, setRole] = useState(before as Role);
  const { withProof, dialog } = useProof();
  const changing = useMutation({
    mutationFn: () => withProof(() => changeRole({ account: person.account, name, before, role })),
  });
  const self = person.trust === 'self';
  const may = !self && managesMembers(own) && reaches(own, before);
  return (
    <section className="panel">
      <h2>{words.role}</h2>
      <p className="quiet">{words.roleLead}</p>
      {may ? (
        <>
          <RoleChoice
            legend={words.role}
            roles={ROLES.filter((one) => reaches(own, one))}
            leads={words.roles}
            under
            value={role}
            onChange={setRole}
          />
          <Problem error={changing.error} />
          <div>
            <Button busy={changing.isPending} disabled={role === before} onClick={() => changing.mutate()}>
              {words.changeRole}
            </Button>
          </div>
          {dialog}
        </>
      ) : (
        <div className="fact">
          <p className="fact-name">{spaces.roles[before] ?? before}</p>
          <p className="quiet">
            {words.roles[before]} {self ? (managesMembers(own) ? words.roleOwn : '') : words.roleAbove}
          </p>
        </div>
      )}
    </section>
  );
}

function Removal({ person }: { readonly person: Person }) {
  const { members: words } = useMessages();
  const own = useOwnRole();
  const name = useNameOf()(person);
  const [asked, setAsked] = useState(false);
  const navigate = useNavigate();
  if (person.trust === 'self' || !managesMembers(own) || !reaches(own, person.role)) return null;
  return (
    <section className="panel">
      <h2>{words.remove}</h2>
      <p className="quiet">{words.removeLead(name)}</p>
      <div>
        <Button look="danger" onClick={() => setAsked(true)}>
          {words.remove}
        </Button>
      </div>
      {asked ? (
        <RemovePerson
          account={person.account}
          name={name}
          onClose={() => setAsked(false)}
          onRemoved={() => void navigate({ to: '/members' })}
        />
      ) : null}
    </section>
  );
}
