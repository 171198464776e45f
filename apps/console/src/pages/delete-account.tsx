/** The end of an account: first what would go, then the decision. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { RemoteDeletionPlan, RemoteDeparture } from '@strongroom/client';
import type { Uuid } from '@strongroom/kernel';
import { useEffect, useRef, useState } from 'react';
import { deleteAccount, isUnreachable, queries, useSession, vault } from '../app/session.ts';
import { useSpaceName, useSpaces } from '../app/spaces.ts';
import { Icon } from '../design/icon.tsx';
import { EmailField } from '../design/email-field.tsx';
import { Form, Problem } from '../design/form.tsx';
import { Button, Notice, Skeleton } from '../design/parts.tsx';
import { errorText, useMessages } from '../messages/messages.ts';
import { AccountPart } from './account-part.tsx';
import { useProvedChange } from './proved-change.ts';
import { CurrentPassword } from '../design/current-password.tsx';

export function DeleteAccountPage() {
  const messages = useMessages();
  const { deletion: words, common } = messages;
  const plan = useQuery({
    queryKey: ['deletion-plan'],
    async queryFn() {
      // Their names: spaces may have come since the list was read.
      const [found] = await Promise.all([vault('deletionPlan'), queries.refetchQueries({ queryKey: ['spaces'] })]);
      return found;
    },
    refetchOnMount: 'always',
    // What is decided upon is what the server says now, not what it said yesterday.
    gcTime: 0,
  });
  // The last page must be there when the server may not be.
  useEffect(() => void import('./certificate.tsx'), []);
  return (
    <AccountPart title={words.title} lead={words.lead}>
      {plan.error !== null ? (
        <div className="stack">
          <Notice tone="problem" live>
            {words.failed}. {errorText(messages, plan.error)}
          </Notice>
          <div>
            <Button onClick={() => void plan.refetch()}>{common.tryAgain}</Button>
          </div>
        </div>
      ) : plan.data === undefined ? (
        <Skeleton lines={9} />
      ) : (
        <Plan plan={plan.data} />
      )}
    </AccountPart>
  );
}

function Plan({ plan }: { readonly plan: RemoteDeletionPlan }) {
  const { deletion: words } = useMessages();
  const { spaces, sessions, invitations, tenantEnds, lastOwner, remains } = plan;
  /** Spaces to be deleted for everybody instead of being handed over. */
  const [chosen, setChosen] = useState<ReadonlySet<Uuid>>(new Set());
  const choose = (space: Uuid, wanted: boolean): void => {
    const rest = [...chosen].filter((other) => other !== space);
    setChosen(new Set(wanted ? [...rest, space] : rest));
  };
  const ends = ({ outcome, space }: RemoteDeparture): boolean => outcome === 'delete' || chosen.has(space);
  const ending = spaces.filter(ends);
  const memories = spaces.reduce((sum, space) => sum + (ends(space) ? space.memories : space.authored), 0);
  const counts = [
    [memories, words.memories],
    [ending.length, words.spaces],
    [sessions, words.sessions],
    [invitations, words.invitations],
  ] as const;
  const undecided = spaces.some(({ outcome, space }) => outcome === 'hand-over' && !chosen.has(space));
  return (
    <>
      <section className="panel">
        <h2>{words.goes}</h2>
        <dl className="counts">
          {counts.map(([count, name]) => (
            <div key={name(2)} data-none={count === 0}>
              <dt>{name(count)}</dt>
              <dd className="numbers">{count.toLocaleString()}</dd>
            </div>
          ))}
        </dl>
        {tenantEnds ? <Notice tone="problem">{words.tenantEnds}</Notice> : null}
        {memories === 0 ? null : (
          <Link to="/export" className="link link-icon">
            <Icon name="export" />
            {words.exportFirst}
          </Link>
        )}
      </section>
      <section className="panel">
        <h2>{words.inSpaces}</h2>
        {spaces.length === 0 ? (
          <p className="quiet">{words.noSpaces}</p>
        ) : (
          <ul className="departures">
            {spaces.map((space) => (
              <Departure
                key={space.space}
                departure={space}
                chosen={chosen.has(space.space)}
                onChoose={(wanted) => choose(space.space, wanted)}
              />
            ))}
          </ul>
        )}
      </section>
      <section className="panel">
        <h2>{words.remains}</h2>
        <ul className="remains">
          {remains.map((what) => (
            <li key={what}>{words.remain[what] ?? what}</li>
          ))}
        </ul>
      </section>
      <section className="panel panel-final">
        <h2>{words.confirm}</h2>
        {lastOwner ? (
          <>
            <Notice tone="problem">{words.lastOwner}</Notice>
            <div>
              <Link to="/members" className="button button-plain">
                <span>{words.toMembers}</span>
              </Link>
            </div>
          </>
        ) : (
          <Decision deleteSpaces={[...chosen]} undecided={undecided} />
        )}
      </section>
    </>
  );
}

function Departure(props: {
  readonly departure: RemoteDeparture;
  readonly chosen: boolean;
  readonly onChoose: (wanted: boolean) => void;
}) {
  const { departure, chosen, onChoose } = props;
  const { deletion: words } = useMessages();
  const spaces = useSpaces();
  const nameOf = useSpaceName();
  const { space, memories, authored, otherMembers, outcome } = departure;
  const title = nameOf(spaces.data?.find(({ id }) => id === space));
  const goes = outcome === 'delete' || chosen;
  return (
    <li className="departure" data-outcome={goes ? 'delete' : outcome}>
      <div className="departure-words">
        <span className="departure-name">{title}</span>
        <span className="quiet">
          {goes
            ? words.outcomes.delete(memories)
            : outcome === 'leave'
              ? words.outcomes.leave(otherMembers, authored)
              : words.outcomes['hand-over'](otherMembers)}
        </span>
        {outcome === 'hand-over' ? (
          <>
            <Link to="/spaces/$space/members" params={{ space }} className="link">
              {words.handOver}
              <span className="visually-hidden">: {title}</span>
            </Link>
            <label className="check">
              <input type="checkbox" checked={chosen} onChange={(event) => onChoose(event.target.checked)} />
              <span>
                {words.deleteForAll}
                <span className="visually-hidden">: {title}</span>
              </span>
            </label>
          </>
        ) : null}
      </div>
      <span className="label departure-outcome">{words.outcomeNames[goes ? 'delete' : outcome]}</span>
    </li>
  );
}

function Decision({
  deleteSpaces,
  undecided,
}: {
  readonly deleteSpaces: readonly Uuid[];
  readonly undecided: boolean;
}) {
  const messages = useMessages();
  const { deletion: words } = messages;
  const session = useSession();
  const [confirmation, setConfirmation] = useState('');
  const [tried, setTried] = useState(false);
  const emailField = useRef<HTMLInputElement>(null);
  const {
    current,
    change: deleting,
    refused,
    problem,
  } = useProvedChange({ run: (password) => deleteAccount({ password, confirmation, deleteSpaces }) });
  if (session.phase !== 'open') return null;
  const { email } = session.account;
  const typed = confirmation.trim().toLocaleLowerCase() === email.toLocaleLowerCase();
  const submit = () => {
    if (deleting.isPending) return;
    setTried(true);
    if (!typed) emailField.current?.focus();
    else if (current.value === '') current.focus();
    else if (!undecided) deleting.mutate();
  };
  return (
    <Form onSubmit={submit}>
      <EmailField
        label={words.typeEmail}
        value={confirmation}
        onChange={setConfirmation}
        autoComplete="off"
        inputRef={emailField}
        hint={words.typeEmailHint(email)}
        error={tried && !typed ? words.mismatch : null}
      />
      <CurrentPassword
        label={words.password}
        password={current}
        refused={refused === null ? null : errorText(messages, refused)}
      />
      {!undecided ? null : tried ? (
        <p className="field-error" role="alert">
          {words.undecided}
        </p>
      ) : (
        <p className="quiet">{words.undecided}</p>
      )}
      {isUnreachable(problem) ? (
        <Notice tone="problem" live>
          {words.unsure}
        </Notice>
      ) : (
        <Problem error={problem} />
      )}
      <div className="row">
        <Button
          look="danger"
          icon="delete"
          type="submit"
          busy={deleting.isPending}
          className={typed && !undecided ? 'button-final' : ''}
        >
          {deleting.isPending ? words.busy : words.submit}
        </Button>
      </div>
    </Form>
  );
}
