/** The dial of a strongroom door: the sign of this product, and what turns while something is being opened. */

/** Marks around the dial, numbered in tens like a combination lock. */
const MARKS = 100;
const TEN = 10;

const marks = Array.from({ length: MARKS }, (_, number) => {
  const angle = (number / MARKS) * 2 * Math.PI;
  const ten = number % TEN === 0;
  const at = (radius: number) => ({ x: 50 + radius * Math.sin(angle), y: 50 - radius * Math.cos(angle) });
  const point = (radius: number): string => `${at(radius).x.toFixed(2)} ${at(radius).y.toFixed(2)}`;
  return { number, ten, path: `M${point(ten ? 41.5 : number % 5 === 0 ? 43 : 44.2)}L${point(46.5)}`, place: at(37.5) };
});

/** `numbered`: large enough to read the numbers. */
export function Dial(props: { readonly turning?: boolean; readonly numbered?: boolean; readonly className?: string }) {
  const { turning = false, numbered = false, className = '' } = props;
  return (
    <svg
      className={`dial ${className}`}
      data-turning={turning}
      viewBox="0 0 100 100"
      aria-hidden="true"
      focusable="false"
    >
      <circle className="dial-frame" cx="50" cy="50" r="49" />
      <g className="dial-ring">
        {marks.map(({ number, ten, path }) => (
          <path key={number} className={ten ? 'dial-major' : 'dial-minor'} d={path} />
        ))}
        {numbered
          ? marks
              .filter(({ ten }) => ten)
              .map(({ number, place }) => (
                <text
                  key={number}
                  className="dial-number"
                  x={place.x.toFixed(2)}
                  y={place.y.toFixed(2)}
                  transform={`rotate(${number * 3.6} ${place.x.toFixed(2)} ${place.y.toFixed(2)})`}
                >
                  {number}
                </text>
              ))
          : null}
        <circle className="dial-edge" cx="50" cy="50" r="32" />
        <circle className="dial-edge" cx="50" cy="50" r="15" />
        <circle className="dial-hub" cx="50" cy="50" r="11" />
        <path className="dial-grip" d="M50 20v12M50 68v12M20 50h12M68 50h12" />
      </g>
      <path className="dial-notch" d="M50 4.5l-2.4-4h4.8z" />
    </svg>
  );
}

/** Small and quiet: the sign beside the name. */
export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <circle cx="12" cy="12" r="9.2" />
      <circle cx="12" cy="12" r="2.6" />
      <path d="M12 2.8v4.1M12 17.1v4.1M2.8 12h4.1M17.1 12h4.1" />
    </svg>
  );
}
