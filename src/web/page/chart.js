// A line over time or rounds, by uPlot, with the same numbers as a table for who does not see it.
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { html, Table } from "./parts.js";

const HEIGHT = 220;

/** `series`: `{label, values}` each; `isTime`: x are Unix seconds. */
export function Chart({ title, x, series, isTime = false, xLabel = "" }) {
  const box = useRef();
  const key = JSON.stringify([x, series, isTime]);
  useEffect(() => {
    const style = getComputedStyle(box.current);
    const colours = ["--accent", "--good", "--warn"].map((name) => style.getPropertyValue(name).trim());
    const ink = style.color;
    const axis = { stroke: ink, grid: { stroke: style.getPropertyValue("--line").trim(), width: 1 } };
    const options = {
      width: Math.max(200, box.current.clientWidth),
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: isTime } },
      axes: [
        { ...axis, label: xLabel },
        { ...axis, size: 70 },
      ],
      series: [
        {},
        ...series.map(({ label }, at) => ({
          label,
          stroke: colours[at % colours.length],
          width: 2,
          points: { show: x.length < 40 },
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
  }, [key]);
  const shown = (value) => (isTime ? new Date(value * 1000).toLocaleString() : value);
  return html`<figure>
    <figcaption>${title}</figcaption>
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
