/** Choosing a role: in a form with what each one means, or in a line from a menu. */
import { Menu } from '@base-ui/react/menu';
import type { Role } from '@strongroom/client';
import { useId } from 'react';
import { Icon } from '../design/icon.tsx';
import { useMessages } from '../messages/messages.ts';

/** Roles with what they mean. */
export function RoleChoice<Offered extends Role>(props: {
  readonly legend: string;
  readonly roles: readonly Offered[];
  /** What each role allows here. */
  readonly leads: Readonly<Record<string, string>>;
  readonly value: Offered;
  readonly onChange: (role: Offered) => void;
  /** A heading above says the same already. */
  readonly under?: boolean;
}) {
  const { legend, roles, leads, value, onChange, under = false } = props;
  const { spaces } = useMessages();
  const name = useId();
  return (
    <fieldset className="options options-list">
      <legend className={under ? 'visually-hidden' : 'field-label'}>{legend}</legend>
      {roles.map((role) => (
        <label key={role} className="option">
          <input type="radio" name={name} value={role} checked={role === value} onChange={() => onChange(role)} />
          <span>
            <span className="option-name">{spaces.roles[role] ?? role}</span>
            <span className="quiet">{leads[role]}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

/** Applies at once, therefore a menu: the arrow keys of a select would give every role on the way to the wanted one. */
export function RoleMenu(props: {
  readonly label: string;
  readonly role: string;
  readonly offered: readonly Role[];
  readonly leads: Readonly<Record<string, string>>;
  readonly busy: boolean;
  readonly onChange: (role: Role) => void;
}) {
  const { label, role, offered, leads, busy, onChange } = props;
  const { spaces } = useMessages();
  const nameOf = (one: string): string => spaces.roles[one] ?? one;
  return (
    <Menu.Root>
      <Menu.Trigger
        className="button button-plain role-trigger"
        aria-label={`${label}: ${nameOf(role)}`}
        aria-disabled={busy ? true : undefined}
      >
        <span>{nameOf(role)}</span>
        <Icon name="open" />
      </Menu.Trigger>
      {/* Inside the main landmark, so that whoever goes by landmarks finds it. */}
      <Menu.Portal container={document.querySelector<HTMLElement>('#content')}>
        <Menu.Positioner align="end" positionMethod="fixed" sideOffset={6} className="menu-position">
          <Menu.Popup className="menu role-menu">
            <Menu.RadioGroup
              value={role}
              onValueChange={(next: Role) => (busy || next === role ? undefined : onChange(next))}
            >
              {offered.map((one) => (
                <Menu.RadioItem key={one} value={one} closeOnClick className="menu-item role-item">
                  <span className="role-mark">
                    <Menu.RadioItemIndicator>
                      <Icon name="check" />
                    </Menu.RadioItemIndicator>
                  </span>
                  <span>
                    <span className="option-name">{nameOf(one)}</span>
                    <span className="quiet">{leads[one]}</span>
                  </span>
                </Menu.RadioItem>
              ))}
            </Menu.RadioGroup>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
