import { useMemo } from 'react';
import { differences } from '../app/differences.ts';

/** `which`: both sides in one text, or only what one of them says with its own words marked. */
export function Difference(props: {
  readonly before: string;
  readonly after: string;
  readonly which: 'both' | 'before' | 'after';
}) {
  const { before, after, which } = props;
  const pieces = useMemo(() => differences(before, after), [before, after]);
  return (
    <div className="memory-text" dir="auto">
      {pieces.map(({ kind, text }, index) => {
        if (kind === 'added') return which === 'before' ? null : <ins key={index}>{text}</ins>;
        if (kind === 'removed') return which === 'after' ? null : <del key={index}>{text}</del>;
        return <span key={index}>{text}</span>;
      })}
    </div>
  );
}
