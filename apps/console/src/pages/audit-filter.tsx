/** Chooses which entries of the audit log are shown. */
import { type AuditFilter, isBackwards, midnight, SHOWABLE } from '../app/audit-filter.ts';
import { useFormats } from '../app/formats.ts';
import { useMembers, useNameOf } from '../app/people.ts';
import { useSession } from '../app/session.ts';
import { Button, Choice, Empty, TextField } from '../design/parts.tsx';
import { useMessages } from '../messages/messages.ts';

interface AuditFilterFieldsProps {
  readonly filter: AuditFilter;
  readonly onChange: (filter: AuditFilter) => void;
  readonly onAllObjects: () => void;
}

const EVERYBODY = '';

export function AuditFilterFields({ filter, onChange, onAllObjects }: AuditFilterFieldsProps) {
  const { auditFilter: words } = useMessages();
  const { show, person, object, from, until } = filter;
  return (
    <fieldset className="filters">
      <legend className="visually-hidden">{words.title}</legend>
      <Choice
        label={words.show}
        value={show}
        options={SHOWABLE.map((one) => [one, words.shows[one]] as const)}
        onChange={(next) => onChange({ ...filter, show: next })}
      />
      <Choice
        label={words.person}
        value={person ?? EVERYBODY}
        options={usePersons(person)}
        onChange={(next) => onChange({ ...filter, person: next === EVERYBODY ? null : next })}
      />
      <TextField label={words.from} type="date" value={from} onChange={(next) => onChange({ ...filter, from: next })} />
      <TextField
        label={words.until}
        type="date"
        value={until}
        onChange={(next) => onChange({ ...filter, until: next })}
        error={isBackwards(filter) ? words.backwards : null}
      />
      {object === null ? null : (
        <p className="row filters-object">
          <span className="label label-strong">{words.object(object.name)}</span>
          <Button look="quiet" icon="clear" onClick={onAllObjects}>
            {words.allObjects}
          </Button>
        </p>
      )}
    </fieldset>
  );
}

/** Everybody, the own account, the other members; and who was chosen elsewhere. */
function usePersons(chosen: string | null): (readonly [string, string])[] {
  const { audit, auditFilter: words } = useMessages();
  const session = useSession();
  const members = useMembers();
  const nameOf = useNameOf();
  const own = session.phase === 'open' ? session.account.id : null;
  const others = (members.data ?? []).filter(({ account }) => account !== own);
  const persons: (readonly [string, string])[] = [
    [EVERYBODY, words.everybody],
    ...(own === null ? [] : [[own, audit.you] as const]),
    ...others.map((person) => [person.account, nameOf(person)] as const),
  ];
  const isListed = chosen === null || persons.some(([account]) => account === chosen);
  return isListed ? persons : [...persons, [chosen, words.otherPerson]];
}

/** In the place of entries: what keeps them from being seen, and the way to them. */
export function NothingShown({ filter, onEverything }: { filter: AuditFilter; onEverything: () => void }) {
  const { audit, auditFilter: words } = useMessages();
  const { day } = useFormats();
  const { show, person, object, from, until } = filter;
  const persons = usePersons(person);
  const first = midnight(from, 0);
  const last = midnight(until, 0);
  const choices = [
    ...(show === 'everything' ? [] : [words.shows[show]]),
    ...(person === null ? [] : persons.filter(([account]) => account === person).map(([, name]) => name)),
    ...(object === null ? [] : [words.object(object.name)]),
    ...(first === null ? [] : [words.since(day(first))]),
    ...(last === null ? [] : [words.upTo(day(last))]),
  ];
  if (choices.length === 0) return <Empty title={audit.empty} />;
  return (
    <Empty title={words.none} lead={words.noneLead(choices.join(', '))}>
      <Button onClick={onEverything}>{words.showEverything}</Button>
    </Empty>
  );
}
