/** Fingerprints: showing the own one, and comparing somebody's before anything is sealed to them. */
import { useMutation } from '@tanstack/react-query';
import type { Trust } from '@strongroom/client';
import type { Uuid } from '@strongroom/kernel';
import { useEffect, useId, useRef, useState } from 'react';
import { trust as remember, useOwnFingerprint } from '../app/people.ts';
import { note } from '../app/toasts.ts';
import { Confirm } from '../design/dialogs.tsx';
import { Icon, type IconName } from '../design/icon.tsx';
import { KeyDial } from '../design/key-dial.tsx';
import { Form, Problem } from '../design/form.tsx';
import { Button, Notice, Skeleton, TextField } from '../design/parts.tsx';
import { useMessages } from '../messages/messages.ts';

/** Digits of a whole fingerprint. */
const DIGITS = 30;

const TRUST_ICONS: Readonly<Record<Trust, IconName>> = {
  self: 'account',
  compared: 'check',
  accepted: 'show',
  unknown: 'key',
  changed: 'warning',
};

/** How far this device knows somebody's key, in one word and never by colour alone. */
export function TrustLabel({ trust }: { readonly trust: Trust }) {
  const { fingerprint } = useMessages();
  return (
    <span className="trust" data-trust={trust}>
      <Icon name={TRUST_ICONS[trust]} />
      {fingerprint.trust[trust]}
    </span>
  );
}

/** Six groups to be read out. */
export function Digits({ fingerprint, label }: { readonly fingerprint: string; readonly label: string }) {
  return (
    <p className="digits" role="group" aria-label={label}>
      {fingerprint.split(' ').map((group, index) => (
        <span key={index} className="digits-group">
          {group}
        </span>
      ))}
    </p>
  );
}

/** To be read out to others. */
export function OwnFingerprint() {
  const { fingerprint } = useMessages();
  const own = useOwnFingerprint();
  return (
    <div className="compare-key">
      <KeyDial fingerprint={own.data ?? null} large />
      {own.data === undefined ? (
        <Skeleton lines={2} className="digits-skeleton" />
      ) : (
        <Digits fingerprint={own.data} label={fingerprint.own} />
      )}
    </div>
  );
}

interface CompareProps {
  readonly account: Uuid;
  readonly name: string;
  /** As the server shows it. Null: it shows no usable key. */
  readonly fingerprint: string | null;
  readonly trust: Trust;
  readonly onDone?: () => void;
}

export function Compare({ account, name, fingerprint, trust, onDone }: CompareProps) {
  const messages = useMessages();
  const { fingerprint: words } = messages;
  const [doubt, setDoubt] = useState(false);
  const remembering = useMutation({
    mutationFn: ({ digits, compared }: { readonly digits: string; readonly compared: boolean }) =>
      remember(account, digits, compared),
    onSuccess(_answer, { compared }) {
      note(compared ? words.done(name) : words.accepted(name));
      onDone?.();
    },
  });
  if (fingerprint === null) {
    return (
      <div className="compare">
        {trust === 'changed' ? <Changed name={name} /> : null}
        <Notice tone="problem">{words.none}</Notice>
      </div>
    );
  }
  if (doubt) return <Differs name={name} onBack={() => setDoubt(false)} />;
  const problem = remembering.error === null ? null : <Problem error={remembering.error} />;
  const check = (digits: string) => remembering.mutate({ digits, compared: true });
  if (trust === 'changed') {
    return (
      <div className="compare">
        <Changed name={name} />
        <div className="compare-key">
          <KeyDial fingerprint={fingerprint} tone="changed" large />
          <Digits fingerprint={fingerprint} label={words.title} />
        </div>
        <Written busy={remembering.isPending} onCheck={check} />
        {problem}
      </div>
    );
  }
  return (
    <div className="compare">
      <ol className="steps">
        {words.compareSteps(name).map((step, index) => (
          <li key={index}>{step}</li>
        ))}
      </ol>
      <Ticks
        fingerprint={fingerprint}
        trust={trust}
        busy={remembering.isPending}
        onMatch={() => check(fingerprint)}
        onDiffer={() => setDoubt(true)}
      />
      <details className="aside">
        <summary>{words.written}</summary>
        <Written busy={remembering.isPending} onCheck={check} />
      </details>
      {problem}
      {trust === 'unknown' ? (
        <Accept name={name} onAccept={() => remembering.mutate({ digits: fingerprint, compared: false })} />
      ) : null}
    </div>
  );
}

/** As loud as it gets here: what it says must not be overlooked on any page where the person appears. */
export function Changed({ name }: { readonly name: string }) {
  const { fingerprint } = useMessages();
  return (
    <section className="alarm" role="alert">
      <Icon name="warning" />
      <div className="alarm-words">
        <h3>{fingerprint.changedTitle(name)}</h3>
        <p>{fingerprint.changedLead(name)}</p>
        <p>{fingerprint.changedNext(name)}</p>
      </div>
    </section>
  );
}

interface TicksProps {
  readonly fingerprint: string;
  readonly trust: Trust;
  readonly busy: boolean;
  readonly onMatch: () => void;
  readonly onDiffer: () => void;
}

/** Every group is ticked by itself: whoever only looks at the first one has not compared. */
function Ticks({ fingerprint, trust, busy, onMatch, onDiffer }: TicksProps) {
  const { fingerprint: words } = useMessages();
  const groups = fingerprint.split(' ');
  const [ticked, setTicked] = useState<ReadonlySet<number>>(new Set());
  const tick = (index: number, on: boolean) => {
    const next = new Set(ticked);
    if (on) next.add(index);
    else next.delete(index);
    setTicked(next);
  };
  return (
    <>
      <div className="compare-key">
        <KeyDial fingerprint={fingerprint} tone={trust} large />
        <fieldset className="digits">
          <legend className="visually-hidden">{words.title}</legend>
          {groups.map((group, index) => (
            <label key={index} className="digits-group digits-tick">
              <input
                type="checkbox"
                checked={ticked.has(index)}
                aria-label={words.group(index + 1, group)}
                onChange={(event) => tick(index, event.target.checked)}
              />
              <span aria-hidden="true">{group}</span>
            </label>
          ))}
        </fieldset>
      </div>
      <p className="quiet numbers" role="status">
        {words.heard(ticked.size)}
      </p>
      <div className="row">
        <Button look="primary" icon="check" busy={busy} disabled={ticked.size < groups.length} onClick={onMatch}>
          {words.matches}
        </Button>
        <Button look="danger" onClick={onDiffer}>
          {words.differs}
        </Button>
      </div>
    </>
  );
}

function Written({ busy, onCheck }: { readonly busy: boolean; readonly onCheck: (digits: string) => void }) {
  const { fingerprint: words } = useMessages();
  const [text, setText] = useState('');
  const [tooShort, setTooShort] = useState(false);
  const whole = text.replaceAll(/\D/g, '').length === DIGITS;
  const submit = () => {
    setTooShort(!whole);
    if (whole && !busy) onCheck(text);
  };
  return (
    <Form onSubmit={submit}>
      <TextField
        label={words.field}
        hint={words.writtenHint}
        value={text}
        onChange={setText}
        inputMode="numeric"
        autoComplete="off"
        spellCheck={false}
        error={tooShort && !whole ? words.fieldShort : null}
      />
      <div>
        <Button type="submit" busy={busy}>
          {words.check}
        </Button>
      </div>
    </Form>
  );
}

function Accept({ name, onAccept }: { readonly name: string; readonly onAccept: () => void }) {
  const { fingerprint: words } = useMessages();
  const [asked, setAsked] = useState(false);
  return (
    <div>
      <Button look="quiet" onClick={() => setAsked(true)}>
        {words.accept}
      </Button>
      <Confirm
        open={asked}
        title={words.acceptTitle}
        lead={words.acceptWarning(name)}
        action={words.accept}
        onClose={() => setAsked(false)}
        onConfirm={() => {
          setAsked(false);
          onAccept();
        }}
      />
    </div>
  );
}

function Differs({ name, onBack }: { readonly name: string; readonly onBack: () => void }) {
  const { fingerprint: words } = useMessages();
  const title = useId();
  const section = useRef<HTMLElement>(null);
  useEffect(() => section.current?.focus(), []);
  return (
    <section className="alarm" ref={section} tabIndex={-1} aria-labelledby={title}>
      <Icon name="warning" />
      <div className="alarm-words">
        <h3 id={title}>{words.differsTitle}</h3>
        <p>{words.differsLead(name)}</p>
        <div>
          <Button onClick={onBack}>{words.differsBack}</Button>
        </div>
      </div>
    </section>
  );
}
