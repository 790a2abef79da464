// A line over time or rounds, by uPlot, with the same numbers as a table for who does not see it.
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { html, Table } from "./parts.js";

const HEIGHT = 220;
/** Between marks of rounds. */
const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500];

/** Of lines; after these they are dashed. */
const COLOURS = ["--accent", "--good", "--warn"];

const dark = matchMedia("(prefers-color-scheme: dark)");

function useDark() {
  const [isDark, set] = useState(dark.matches);
  useEffect(() => {
    const change = () => set(dark.matches);
    dark.addEventListener("change", change);
    return () => dark.removeEventListener("change", change);
  }, []);
  return isDark;
}

/** A colour of the style sheet as a canvas takes it. */
function colourOf(element, name) {
  element.style.color = `var(${name})`;
  const { color } = getComputedStyle(element);
  element.style.color = "";
  return color;
}

/** `series`: `{label, values}` each; `isTime`: x are Unix seconds; `isStepped`: a value stays until the next. */
export function Chart({ title, x, series, isTime = false, isStepped = false, xLabel = "" }) {
  const box = useRef();
  const isDark = useDark();
  const key = JSON.stringify([x, series, isTime]);
  useEffect(() => {
    const colours = COLOURS.map((name) => colourOf(box.current, name));
    const axis = {
      stroke: colourOf(box.current, "--ink"),
      grid: { stroke: colourOf(box.current, "--line"), width: 1 },
      ticks: { stroke: colourOf(box.current, "--line"), width: 1 },
    };
    const options = {
      width: Math.max(200, box.current.clientWidth),
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: isTime } },
      axes: [
        { ...axis, label: xLabel, ...(isTime ? {} : { incrs: WHOLE }) },
        { ...axis, size: 70 },
      ],
      series: [
        {},
        ...series.map(({ label }, at) => ({
          label,
          stroke: colours[at % colours.length],
          width: 2,
          ...(isStepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}),
          ...(at < COLOURS.length ? {} : { dash: [6, 4] }),
          points: { show: x.length < 40, fill: colours[at % colours.length] },
        })),
      ],
    };
    const plot = new uPlot(options, [x, ...series.map(({ values }) => values)], box.current);
    const resize = new ResizeObserver(() =>
      plot.setSize({ width: Math.max(200, box.current?.clientWidth ?? 200), height: HEIGHT }),
    );
    resize.observe(box.current);
    return () => {
      resize.disconnect();
      plot.destroy();
    };
  }, [key, isDark]);
  const shown = (value) => (isTime ? new Date(value * 1000).toLocaleString() : value);
  return html`<figure>
    <figcaption>${title}</figcaption>
    ${
      series.length > 1 &&
      html`<ul class="legend" aria-hidden="true">
        ${series.map(({ label }, at) => html`<li class=${`line-${at % (2 * COLOURS.length)}`}>${label}</li>`)}
      </ul>`
    }
    <div ref=${box} class="chart" aria-hidden="true"></div>
    <details>
      <summary>${title}: the numbers</summary>
      <${Table} label=${title} head=${[xLabel || "time", ...series.map(({ label }) => label)]}>
        ${x.map(
          (at, i) =>
            html`<tr>
              <td>${shown(at)}</td>
              ${series.map(({ values }) => html`<td>${values[i]}</td>`)}
            </tr>`,
        )}
      <//>
    </details>
  </figure>`;
}
