/** Cells that hold lists, as JSON. */

/** The texts of a list, numbers printed; null for what is no list of these. */
export function listIn(cell: string | undefined): string[] | null {
  if (cell === undefined || !/^\s*\[/.test(cell)) return null;
  try {
    const value: unknown = JSON.parse(cell);
    if (!Array.isArray(value)) return null;
    const texts = (value as unknown[]).map((entry) =>
      typeof entry === 'string' ? entry : typeof entry === 'number' ? String(entry) : null,
    );
    return texts.every((text) => text !== null) ? texts : null;
  } catch {
    return null;
  }
}
