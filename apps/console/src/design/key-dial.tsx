/**
 * A fingerprint as the wheels of a combination lock: six rings, each with its gate where the group of digits says. It helps to find
 * somebody in a list and to notice a change; comparing is done by the digits.
 */

/** Radii on a grid of 48, from the outside in. */
const RINGS = [22, 18.8, 15.6, 12.4, 9.2, 6] as const;
/** Values of a group of five digits. */
const VALUES = 100_000;
/** Length of every gate, on the same grid. */
const GATE = 5.5;

function ring(group: string, radius: number): string {
  const middle = (Number(group) / VALUES) * 2 * Math.PI;
  const half = GATE / 2 / radius;
  const at = (angle: number): string =>
    `${(24 + radius * Math.sin(angle)).toFixed(2)} ${(24 - radius * Math.cos(angle)).toFixed(2)}`;
  return `M${at(middle + half)}A${radius} ${radius} 0 1 1 ${at(middle - half)}`;
}

export function KeyDial(props: {
  readonly fingerprint: string | null;
  readonly tone?: string;
  readonly large?: boolean;
}) {
  const { fingerprint, tone = 'self', large = false } = props;
  const groups = fingerprint?.split(' ') ?? [];
  return (
    <svg
      className={`key-dial ${large ? 'key-dial-large' : ''}`}
      data-trust={tone}
      viewBox="0 0 48 48"
      aria-hidden="true"
      focusable="false"
    >
      {groups.length === RINGS.length ? (
        groups.map((group, index) => <path key={index} d={ring(group, RINGS[index]!)} />)
      ) : (
        <circle cx="24" cy="24" r="22" className="key-dial-none" />
      )}
      <circle cx="24" cy="24" r="2" className="key-dial-pin" />
    </svg>
  );
}
