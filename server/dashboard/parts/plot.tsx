import type { PlotOptions } from "@observablehq/plot";
import { useEffect, useRef, useState } from "preact/hooks";

type Plot = typeof import("@observablehq/plot");

/**
 * A chart by Observable Plot, which is loaded when the first chart is seen. `label` says what it shows, for those who do
 * not see it; the numbers themselves belong into a table beside it.
 */
export function Chart({ label, options }: { label: string; options: (plot: Plot, width: number) => PlotOptions }) {
  const place = useRef<HTMLDivElement>(null);
  const [plot, setPlot] = useState<Plot>();
  useEffect(() => {
    let gone = false;
    void import("@observablehq/plot").then((loaded) => !gone && setPlot(() => loaded as Plot & (() => Plot)));
    return () => {
      gone = true;
    };
  }, []);
  useEffect(() => {
    const box = place.current;
    if (plot === undefined || box === null) return;
    const draw = () => {
      const drawn = plot.plot({ className: "drawn", ...options(plot, Math.min(860, Math.max(280, box.clientWidth))) });
      // Its style element is refused by our policy, and bare groups must not have labels; style.css has the style.
      for (const style of drawn.querySelectorAll("style")) style.remove();
      for (const group of drawn.querySelectorAll("[aria-label]")) group.removeAttribute("aria-label");
      for (const text of drawn.querySelectorAll("[aria-description]")) text.removeAttribute("aria-description");
      drawn.setAttribute("role", "img");
      drawn.setAttribute("aria-label", label);
      box.replaceChildren(drawn);
    };
    draw();
    const observer = new ResizeObserver(draw);
    observer.observe(box);
    return () => observer.disconnect();
  }, [plot, label, options]);
  return <div class="plot" ref={place} />;
}
