import { Modal } from '../design/dialogs.tsx';
import { useMessages } from '../messages/messages.ts';

export function Shortcuts({ open, onClose }: { readonly open: boolean; readonly onClose: () => void }) {
  const { shortcuts, keys: words } = useMessages();
  const rows: readonly (readonly [string, readonly string[]])[] = [
    [shortcuts.palette, [words.control, 'K']],
    [shortcuts.search, ['/']],
    [shortcuts.write, ['N']],
    [shortcuts.edit, ['E']],
    [shortcuts.move, ['↑', '↓']],
    [shortcuts.open, [words.enter]],
    [shortcuts.save, [words.control, words.enter]],
    [shortcuts.lock, [words.control, words.shift, 'L']],
    [shortcuts.help, ['?']],
  ];
  return (
    <Modal open={open} onClose={onClose} title={shortcuts.title}>
      <dl className="shortcuts">
        {rows.map(([name, keys]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
