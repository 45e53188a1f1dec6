/** Charts that change together draw one after another, one a frame: all at once would hold a frame up. */
const waiting = new Set<() => void>();
let asked = false;

function next(): void {
  asked = false;
  const [draw] = waiting;
  if (!draw) return;
  waiting.delete(draw);
  ask();
  draw();
}
function ask(): void {
  if (asked || waiting.size === 0) return;
  asked = true;
  requestAnimationFrame(next);
}

/** Calls `draw` in a frame to come; what is returned takes it back. */
export function inTurn(draw: () => void): () => void {
  waiting.add(draw);
  ask();
  return () => void waiting.delete(draw);
}
