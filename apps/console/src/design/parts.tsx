/** The console's own small parts. What opens over the page is in dialogs.tsx, on top of Base UI. */
import {
  useEffect,
  useId,
  useRef,
  useState,
  type ButtonHTMLAttributes,
  type InputHTMLAttributes,
  type ReactNode,
  type RefObject,
} from 'react';
import { useEntranceMessages } from '../messages/messages.ts';
import { Dial } from './dial.tsx';
import { Icon, type IconName } from './icon.tsx';

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly look?: 'primary' | 'plain' | 'quiet' | 'danger';
  readonly icon?: IconName;
  /** The words are read out, the icon alone is seen. */
  readonly iconOnly?: boolean;
  readonly busy?: boolean;
}

export function Button({
  look = 'plain',
  icon,
  iconOnly = false,
  busy = false,
  children,
  disabled,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={`button button-${look} ${iconOnly ? 'button-icon' : ''} ${rest.className ?? ''}`}
      // A button that vanished from the tab order while it works would lose the person's place.
      aria-disabled={busy || disabled === true ? true : undefined}
      onClick={busy || disabled === true ? (event) => event.preventDefault() : rest.onClick}
      {...(iconOnly && typeof children === 'string' ? { title: children } : {})}
    >
      {busy ? <Dial turning className="dial-small" /> : icon === undefined ? null : <Icon name={icon} />}
      <span className={iconOnly ? 'visually-hidden' : undefined}>{children}</span>
    </button>
  );
}

interface TextFieldProps extends Omit<InputHTMLAttributes<HTMLInputElement>, 'onChange' | 'value' | 'prefix'> {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly hint?: ReactNode;
  readonly error?: string | null;
  readonly inputRef?: RefObject<HTMLInputElement | null>;
  readonly children?: ReactNode;
}

export function TextField({ label, value, onChange, hint, error = null, inputRef, children, ...rest }: TextFieldProps) {
  const id = useId();
  const described = [...(hint === undefined ? [] : [`${id}-hint`]), ...(error === null ? [] : [`${id}-error`])].join(
    ' ',
  );
  return (
    <div className="field">
      <label className="field-label" htmlFor={id}>
        {label}
      </label>
      <div className="field-box">
        <input
          {...rest}
          id={id}
          className={`field-input ${rest.className ?? ''}`}
          value={value}
          onChange={(event) => onChange(event.target.value)}
          aria-invalid={error === null ? undefined : true}
          aria-describedby={described === '' ? undefined : described}
          {...(inputRef === undefined ? {} : { ref: inputRef })}
        />
        {children}
      </div>
      {hint === undefined ? null : (
        <p className="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error === null ? null : (
        <p className="field-error" id={`${id}-error`} role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

export function PasswordField(props: Omit<TextFieldProps, 'type' | 'children'>) {
  const messages = useEntranceMessages();
  const [shown, setShown] = useState(false);
  return (
    <TextField {...props} type={shown ? 'text' : 'password'} autoCapitalize="none" autoCorrect="off" spellCheck={false}>
      <button
        type="button"
        className="field-eye"
        aria-pressed={shown}
        aria-label={shown ? messages.common.hidePassword : messages.common.showPassword}
        onClick={() => setShown(!shown)}
      >
        <Icon name={shown ? 'hide' : 'show'} />
      </button>
    </TextField>
  );
}

export function Choice<Value extends string>(props: {
  readonly label: string;
  readonly value: Value;
  readonly options: readonly (readonly [Value, string])[];
  readonly onChange: (value: Value) => void;
}) {
  const { label, value, options, onChange } = props;
  return (
    <label className="field">
      <span className="field-label">{label}</span>
      <span className="field-box field-select">
        <select className="field-input" value={value} onChange={(event) => onChange(event.target.value as Value)}>
          {options.map(([option, name]) => (
            <option key={option} value={option}>
              {name}
            </option>
          ))}
        </select>
      </span>
    </label>
  );
}

export function Notice(props: {
  readonly tone: 'plain' | 'good' | 'problem';
  readonly children: ReactNode;
  readonly live?: boolean;
}) {
  const { tone, children, live = false } = props;
  return (
    <div className={`notice notice-${tone}`} {...(live ? { role: tone === 'problem' ? 'alert' : 'status' } : {})}>
      <Icon name={tone === 'problem' ? 'warning' : tone === 'good' ? 'check' : 'memories'} />
      <div>{children}</div>
    </div>
  );
}

/** A page of text beside the list of memories. Takes the focus when it appears, so that screen readers begin here. */
export function Page(props: {
  readonly title: string;
  readonly lead?: string;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
  readonly wide?: boolean;
}) {
  const { title, lead, actions, children, wide = false } = props;
  const heading = useRef<HTMLHeadingElement>(null);
  const { name } = useEntranceMessages();
  useEffect(() => {
    document.title = `${title} · ${name}`;
    heading.current?.focus({ preventScroll: true });
  }, [title, name]);
  return (
    <div className={`page ${wide ? 'page-wide' : ''}`}>
      <header className="page-header">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {actions}
      </header>
      {lead === undefined ? null : <p className="page-lead">{lead}</p>}
      {children}
    </div>
  );
}

export function Empty(props: { readonly title: string; readonly lead?: string; readonly children?: ReactNode }) {
  return (
    <div className="empty">
      <Dial className="dial-quiet" />
      <h2>{props.title}</h2>
      {props.lead === undefined ? null : <p>{props.lead}</p>}
      {props.children === undefined ? null : <div className="row">{props.children}</div>}
    </div>
  );
}

/** Lines in the place of text that is on its way, as high as the text will be. */
export function Skeleton({ lines, className = '' }: { readonly lines: number; readonly className?: string }) {
  const { common } = useEntranceMessages();
  return (
    <div className={`skeleton ${className}`} role="status" aria-label={common.loading}>
      {Array.from({ length: lines }, (_, index) => (
        <span key={index} className="skeleton-line" />
      ))}
    </div>
  );
}
